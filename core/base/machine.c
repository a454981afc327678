// machine.c - see machine.h

#include "base/machine.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef enum Level { PLAIN, AVX2, AVX512, AVX512_BF16, LEVEL_COUNT } Level;

static const char *const NAMES[LEVEL_COUNT] = {"plain", "avx2", "avx512", NULL};

static const char *asked_for(void) { return getenv("SCULPT_INSTRUCTIONS"); }

// The highest level that may be used; LEVEL_COUNT for a name that there isn't.
static Level highest_allowed(void) {
    const char *name = asked_for();
    if (!name || !name[0]) return AVX512_BF16;
    for (int level = PLAIN; level < AVX512_BF16; level++) {
        if (strcmp(name, NAMES[level]) == 0) return (Level)level;
    }
    return LEVEL_COUNT;
}

bool machine_check(Error *error) {
    return highest_allowed() < LEVEL_COUNT ||
           error_set(error,
                     "SCULPT_INSTRUCTIONS=%.40s: there is no such level; take plain, avx2 or avx512, or unset it",
                     asked_for());
}

#ifdef __x86_64__

static Level level_of_processor(void) {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return PLAIN;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
        return AVX2;
    }
    return __builtin_cpu_supports("avx512bf16") ? AVX512_BF16 : AVX512;
}

#else

static Level level_of_processor(void) { return PLAIN; }

#endif

// Asked for at every call of a kernel, and always the same: found out once, by whoever comes first.
static bool reaches(Level level) {
    static atomic_int known = -1;
    int here = atomic_load_explicit(&known, memory_order_relaxed);
    if (here < 0) {
        Level processor = level_of_processor(), allowed = highest_allowed();
        here = (int)(processor < allowed ? processor : allowed);
        atomic_store_explicit(&known, here, memory_order_relaxed);
    }
    return (int)level <= here;
}

bool machine_has_avx2(void) { return reaches(AVX2); }
bool machine_has_avx512(void) { return reaches(AVX512); }
bool machine_has_avx512_bf16(void) { return reaches(AVX512_BF16); }
