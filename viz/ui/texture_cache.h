// texture_cache.h - textures that were drawn lately, found again by what they show
//
// A key is any bytes that say what is on the texture: a text with its font and colour, a picture's number with the size
// it is drawn at. What wasn't used for longest is given up when all together take more than a bound.
//
// Where: under draw.c, text.c and picture.c.

#pragma once

#include <SDL2/SDL_render.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct TextureCache TextureCache;

typedef struct CachedTexture {
    SDL_Texture *texture;  // NULL: only the size is known
    int width, height;     // pixels
} CachedTexture;

TextureCache *texture_cache_new(size_t most_bytes);  // NULL without memory
void texture_cache_free(TextureCache *cache);        // NULL is fine

// NULL if there is none of this key. What it points at is good until the next texture_cache_add.
const CachedTexture *texture_cache_find(TextureCache *cache, const void *key, size_t key_size);

// Takes the texture over. NULL without memory (the texture is destroyed then).
const CachedTexture *texture_cache_add(TextureCache *cache, const void *key, size_t key_size, CachedTexture cached);
