// arena.h - where activations live: one block of memory, used from both ends
//
// A forward pass makes thousands of tensors and needs few of them at a time. Malloc and free would scatter them; an
// arena just moves a mark. One mark isn't enough, since a block's result must outlive the block's temporaries although
// it is made after them. So there are two, one at each end:
//
//     [ results of the outer block ->            free            <- temporaries of the outer block ]
//
// A block opens a scope: from then on allocations come from the end that the outer block isn't using, and closing the
// scope gives all of them back at once:
//
//     Scope scope = scope_open(arena);        // from here on, allocations are temporaries
//     h = group_norm(...); h = conv2d(...);
//     scope_result(arena, &scope);            // from here on, allocations are what the block returns
//     out = add(ctx, h, x);
//     scope_close(arena, &scope);             // h is gone, out stays
//
// Scopes nest, each inside the other's. high_water is the most that both ends together ever held: the peak memory of
// activations. A planning arena has no memory at all; it only counts, and since it counts the same way, an arena of
// exactly the planned high_water is enough for the run.
//
// Debug builds (-DARENA_POISON) fill released memory with NaN, so that a tensor used after its scope shows at once.

#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct Arena {
    char *memory;       // NULL for a planning arena
    size_t capacity;    // bytes; SIZE_MAX for a planning arena
    size_t used[2];     // bytes in use from the low end, from the high end
    int side;           // the end that allocations come from now
    size_t high_water;  // most of used[0] + used[1]
} Arena;

typedef struct Scope {
    int result_side;  // where the outer block gets its results from
    size_t mark;      // what the temporaries' end held when the scope was opened
} Scope;

// Reserves capacity bytes of address space (pages become real when they are first written). False if the machine
// refuses. arena_open_planning never fails.
bool arena_open(Arena *arena, size_t capacity);
void arena_open_planning(Arena *arena);
void arena_close(Arena *arena);

// bytes from the current end, 64-byte aligned; NULL from a planning arena. CHECKs that there is room.
void *arena_take(Arena *arena, size_t bytes);

Scope scope_open(Arena *arena);
void scope_result(Arena *arena, const Scope *scope);
void scope_close(Arena *arena, const Scope *scope);
