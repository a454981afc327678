// fence.c - see fence.h

#include "base/fence.h"

#include "base/check.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct Fence {
    const char *name;
    char *pages, *fence;  // the mapping, and the page behind the values that nobody may touch
    size_t bytes;         // of the mapping, the fence included
} Fence;

static Fence fences[FENCES];  // a signal handler is told nothing, and has to find them
static size_t fence_count;

float *fence_take(const char *name, size_t n) {
    CHECK(fence_count < FENCES, "at most %d arrays at a time", FENCES);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), wanted = n * sizeof(float);
    size_t inside = (wanted + page - 1) / page * page;

    Fence *fence = &fences[fence_count];
    *fence = (Fence){.name = name, .bytes = inside + page};
    fence->pages = mmap(NULL, fence->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(fence->pages != MAP_FAILED, "no memory for %s, %zu numbers", name, n);
    fence->fence = fence->pages + inside;
    mprotect(fence->fence, page, PROT_NONE);
    fence_count++;
    return (float *)(fence->fence - wanted);
}

void fence_release(void) {
    for (size_t i = 0; i < fence_count; i++) munmap(fences[i].pages, fences[i].bytes);
    fence_count = 0;
}

const char *fence_at(uintptr_t address) {
    for (size_t i = 0; i < fence_count; i++) {
        if (address >= (uintptr_t)fences[i].fence && address < (uintptr_t)fences[i].pages + fences[i].bytes)
            return fences[i].name;
    }
    return NULL;
}

static const uint32_t UNWRITTEN = 0x7fc5c1b7;

void fill_unwritten(float *values, size_t n) {
    for (size_t i = 0; i < n; i++) memcpy(&values[i], &UNWRITTEN, sizeof UNWRITTEN);
}

bool is_unwritten(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == UNWRITTEN;
}
