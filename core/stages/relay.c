// relay.c - see relay.h

#include "stages/relay.h"

#include "base/check.h"

// n layers have n - 1 hand-overs, so n - 1 scopes. Layer k (counted from 0) runs as the result of scope n - 1 - k,
// whose temporary is layer k - 1's result; the first has no layer before it and is the innermost scope's temporary.

Relay relay_open(Arena *arena, size_t layers) {
    CHECK(layers >= 1 && layers <= RELAY_MAX, "a relay of %zu layers", layers);
    Relay relay = {.arena = arena, .layers = layers};
    for (size_t i = 0; i + 1 < layers; i++) relay.scopes[i] = scope_open(arena);
    return relay;
}

static void close_previous(Relay *relay) {
    if (relay->passed >= 2) scope_close(relay->arena, &relay->scopes[relay->layers - relay->passed]);
}

void relay_pass(Relay *relay) {
    CHECK(relay->passed < relay->layers, "a relay of %zu layers has one more", relay->layers);
    close_previous(relay);
    if (relay->passed >= 1) scope_result(relay->arena, &relay->scopes[relay->layers - 1 - relay->passed]);
    relay->passed++;
}

void relay_close(Relay *relay) {
    CHECK(relay->passed == relay->layers, "a relay of %zu layers had %zu", relay->layers, relay->passed);
    close_previous(relay);
}
