// arena.c - see arena.h

#include "base/arena.h"

#include "base/check.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64 };  // a cache line, and the widest vector register

static const int LOW = 0, HIGH = 1;

// An exactly planned arena has no slack, so its capacity counts in whole ALIGNMENTs from an aligned start (mmap's).
bool arena_open(Arena *arena, size_t capacity) {
    *arena = (Arena){.capacity = capacity};
    if (capacity == 0) return true;
    void *memory = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return false;
    arena->memory = memory;
    return true;
}

void arena_open_planning(Arena *arena) { *arena = (Arena){.capacity = SIZE_MAX}; }

void arena_close(Arena *arena) {
    if (arena->memory) munmap(arena->memory, arena->capacity);
    *arena = (Arena){0};
}

void *arena_take(Arena *arena, size_t bytes) {
    CHECK(bytes <= SIZE_MAX / 2, "%zu bytes", bytes);
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t room = arena->capacity - arena->used[LOW] - arena->used[HIGH];
    CHECK(rounded <= room, "%zu bytes wanted, %zu of %zu are free", rounded, room, arena->capacity);

    size_t before = arena->used[arena->side];
    arena->used[arena->side] += rounded;
    size_t total = arena->used[LOW] + arena->used[HIGH];
    if (total > arena->high_water) arena->high_water = total;

    if (!arena->memory) return NULL;
    return arena->side == LOW ? arena->memory + before : arena->memory + arena->capacity - before - rounded;
}

Scope scope_open(Arena *arena) {
    Scope scope = {.result_side = arena->side, .mark = arena->used[!arena->side]};
    arena->side = !arena->side;
    return scope;
}

void scope_result(Arena *arena, const Scope *scope) {
    CHECK(arena->side != scope->result_side, "scope_result called twice, or out of order");
    arena->side = scope->result_side;
}

void scope_close(Arena *arena, const Scope *scope) {
    int temporary_side = !scope->result_side;
    CHECK(arena->used[temporary_side] >= scope->mark, "a scope was closed after the one around it");
#ifdef ARENA_POISON
    size_t released = arena->used[temporary_side] - scope->mark;
    if (arena->memory && released > 0) {
        char *from =
            temporary_side == LOW ? arena->memory + scope->mark : arena->memory + arena->capacity - arena->used[HIGH];
        memset(from, 0xff, released);  // every float of it is a NaN
    }
#endif
    arena->used[temporary_side] = scope->mark;
    arena->side = scope->result_side;
}
