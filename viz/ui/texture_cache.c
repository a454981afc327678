// texture_cache.c - see texture_cache.h
//
// A hash table whose entries also stand in one ring, from the one used last to the one not used for longest.

#include "ui/texture_cache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096, BYTES_A_PIXEL = 4 };

typedef struct Entry {
    struct Entry *next;           // in its bucket
    struct Entry *newer, *older;  // in the ring
    uint64_t hash;
    size_t bytes;  // what it takes, texture and all
    CachedTexture cached;
    size_t key_size;
    unsigned char key[];
} Entry;

struct TextureCache {
    Entry *buckets[BUCKETS];
    size_t bytes, most_bytes;
    Entry ring;  // no entry itself: ring.older is the newest, ring.newer the oldest
};

TextureCache *texture_cache_new(size_t most_bytes) {
    TextureCache *cache = calloc(1, sizeof *cache);
    if (!cache) return NULL;
    cache->ring.newer = cache->ring.older = &cache->ring;
    cache->most_bytes = most_bytes;
    return cache;
}

// FNV-1a (Fowler, Noll & Vo), 64 bits.
static uint64_t hash_bytes(const unsigned char *bytes, size_t size) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

static void ring_leave(Entry *entry) {
    entry->newer->older = entry->older;
    entry->older->newer = entry->newer;
}

static void ring_enter(TextureCache *cache, Entry *entry) {
    entry->newer = &cache->ring;
    entry->older = cache->ring.older;
    entry->older->newer = entry->newer->older = entry;
}

static void entry_free(TextureCache *cache, Entry *entry) {
    Entry **link = &cache->buckets[entry->hash % BUCKETS];
    while (*link != entry) link = &(*link)->next;
    *link = entry->next;
    ring_leave(entry);
    cache->bytes -= entry->bytes;
    if (entry->cached.texture) SDL_DestroyTexture(entry->cached.texture);
    free(entry);
}

void texture_cache_free(TextureCache *cache) {
    if (!cache) return;
    while (cache->ring.newer != &cache->ring) entry_free(cache, cache->ring.newer);
    free(cache);
}

const CachedTexture *texture_cache_find(TextureCache *cache, const void *key, size_t key_size) {
    uint64_t hash = hash_bytes(key, key_size);
    for (Entry *entry = cache->buckets[hash % BUCKETS]; entry; entry = entry->next) {
        if (entry->hash != hash || entry->key_size != key_size || memcmp(entry->key, key, key_size) != 0) continue;
        ring_leave(entry);
        ring_enter(cache, entry);
        return &entry->cached;
    }
    return NULL;
}

const CachedTexture *texture_cache_add(TextureCache *cache, const void *key, size_t key_size, CachedTexture cached) {
    Entry *entry = malloc(sizeof *entry + key_size);
    if (!entry) {
        if (cached.texture) SDL_DestroyTexture(cached.texture);
        return NULL;
    }
    entry->hash = hash_bytes(key, key_size);
    entry->bytes = sizeof *entry + key_size;
    if (cached.texture) entry->bytes += (size_t)cached.width * (size_t)cached.height * BYTES_A_PIXEL;
    entry->cached = cached;
    entry->key_size = key_size;
    memcpy(entry->key, key, key_size);

    Entry **bucket = &cache->buckets[entry->hash % BUCKETS];
    entry->next = *bucket;
    *bucket = entry;
    ring_enter(cache, entry);
    cache->bytes += entry->bytes;
    while (cache->bytes > cache->most_bytes && cache->ring.newer != entry) entry_free(cache, cache->ring.newer);
    return &entry->cached;
}
