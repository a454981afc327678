// convert.c - see convert.h
//
// A checkpoint has a billion of these numbers, so the loops are free of branches and open to the vectoriser; where the
// processor has instructions for it (F16C), half precision takes those. An array is cut into pieces, which the threads
// share; each piece goes through a function that knows nothing of threads.

#include "base/convert.h"

#include "base/check.h"
#include "base/machine.h"

#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

// One piece, out first. Neither side need be aligned.
typedef void Convert(void *out, const void *in, size_t n);

// Unaligned numbers. The compiler makes one load or store of each.
static inline uint16_t load_u16(const void *in, size_t i) {
    uint16_t number;
    memcpy(&number, (const char *)in + i * sizeof number, sizeof number);
    return number;
}

static inline uint32_t load_u32(const void *in, size_t i) {
    uint32_t number;
    memcpy(&number, (const char *)in + i * sizeof number, sizeof number);
    return number;
}

static inline void store_u16(void *out, size_t i, uint16_t number) {
    memcpy((char *)out + i * sizeof number, &number, sizeof number);
}

static inline void store_u32(void *out, size_t i, uint32_t number) {
    memcpy((char *)out + i * sizeof number, &number, sizeof number);
}

// ---- half precision -------------------------------------------------------------------------------------------------

// The same arithmetic as f16_to_f32 (tensor.c, which explains it), without a branch. The 2^112 multiplication mends the
// exponent's bias; infinity and NaN had all five exponent bits set, and get all eight. A NaN is made a quiet one.
static void f16_to_f32_plain(void *out, const void *in, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t half = load_u16(in, i), bits;
        uint32_t rest = (half & 0x7fff) << 13;
        uint32_t special = rest >= 0x7c00u << 13 ? 0x7f800000u : 0, quiet = rest > 0x7c00u << 13 ? 0x400000u : 0;
        float x;
        memcpy(&x, &rest, sizeof x);
        x *= 0x1p112f;
        memcpy(&bits, &x, sizeof bits);
        store_u32(out, i, bits | (half & 0x8000) << 16 | special | quiet);
    }
}

static void f32_to_f16_plain(void *out, const void *in, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float x;
        memcpy(&x, (const char *)in + i * sizeof x, sizeof x);
        store_u16(out, i, f32_to_f16(x));
    }
}

#ifdef __x86_64__
// F16C: eight numbers an instruction, rounded as IEEE 754 has it.
__attribute__((target("avx2,f16c"))) static void f16_to_f32_f16c(void *out, const void *in, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m128i halves = _mm_loadu_si128((const void *)((const char *)in + 2 * i));
        _mm256_storeu_ps((float *)out + i, _mm256_cvtph_ps(halves));
    }
    f16_to_f32_plain((float *)out + i, (const char *)in + 2 * i, n - i);
}

__attribute__((target("avx2,f16c"))) static void f32_to_f16_f16c(void *out, const void *in, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256 numbers = _mm256_loadu_ps((const void *)((const char *)in + 4 * i));
        _mm_storeu_si128((void *)((char *)out + 2 * i), _mm256_cvtps_ph(numbers, _MM_FROUND_TO_NEAREST_INT));
    }
    f32_to_f16_plain((uint16_t *)out + i, (const char *)in + 4 * i, n - i);
}
#endif

// ---- bfloat16 -------------------------------------------------------------------------------------------------------

// A bf16 is the upper half of a float.
static void bf16_to_f32_plain(void *out, const void *in, size_t n) {
    for (size_t i = 0; i < n; i++) store_u32(out, i, (uint32_t)load_u16(in, i) << 16);
}

// f32_to_bf16 (tensor.c) without a branch. (AVX512_BF16 has an instruction for it, but it makes 0 of subnormals.)
static void f32_to_bf16_plain(void *out, const void *in, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = load_u32(in, i), rounded = bits + 0x7fff + (bits >> 16 & 1);
        bool nan = (bits & 0x7fffffff) > 0x7f800000u;
        store_u16(out, i, (uint16_t)((nan ? bits | 0x400000 : rounded) >> 16));
    }
}

// ---- all of them ----------------------------------------------------------------------------------------------------

// All that have AVX2 have F16C, too, which clang 14 can't ask about.
bool convert_has_f16c(void) { return machine_has_avx2(); }

static Convert *to_f32(DType from, bool f16c) {
#ifdef __x86_64__
    if (from == F16 && f16c) return f16_to_f32_f16c;
#endif
    (void)f16c;
    return from == F16 ? f16_to_f32_plain : bf16_to_f32_plain;
}

static Convert *from_f32(DType to, bool f16c) {
#ifdef __x86_64__
    if (to == F16 && f16c) return f32_to_f16_f16c;
#endif
    (void)f16c;
    return to == F16 ? f32_to_f16_plain : f32_to_bf16_plain;
}

void convert_piece(void *out, DType to, const void *in, DType from, size_t n, bool f16c) {
    if (to == from) {
        memcpy(out, in, n * dtype_size(to));
    } else if (to == F32) {
        to_f32(from, f16c)(out, in, n);
    } else if (from == F32) {
        from_f32(to, f16c)(out, in, n);
    } else {
        enum { SOME = 1024 };
        float between[SOME];
        for (size_t i = 0; i < n; i += SOME) {
            size_t some = n - i < SOME ? n - i : SOME;
            to_f32(from, f16c)(between, (const char *)in + i * dtype_size(from), some);
            from_f32(to, f16c)((char *)out + i * dtype_size(to), between, some);
        }
    }
}

void convert(void *out, DType to, const void *in, DType from, size_t n) {
    static const size_t PIECE = 1 << 15;  // small enough for a cache, large enough to be worth a thread's while
    CHECK(to != I64 && from != I64, "%s to %s", dtype_name(from), dtype_name(to));
    bool f16c = convert_has_f16c();
#pragma omp parallel for if (n > PIECE)
    for (size_t i = 0; i < n; i += PIECE) {
        convert_piece((char *)out + i * dtype_size(to), to, (const char *)in + i * dtype_size(from), from,
                      n - i < PIECE ? n - i : PIECE, f16c);
    }
}

void convert_to_f32(float *out, const void *in, DType from, size_t n) { convert(out, F32, in, from, n); }
