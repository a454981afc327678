// attention.h - who looked at what, kept: maps of the prompt's words over the picture, and of its words over each other
//
// In each of the U-Net's cross-attention layers every place of the picture shares itself out among the prompt's tokens
// (ops/attention.c: p, whose rows add up to 1). Turned round, a token has a map: how much of each place's look it got.
// Such maps say where in the picture a word has its say, early in a run already (Hertz et al. 2022, arXiv 2208.01626;
// Tang et al. 2022, DAAM, arXiv 2210.04885, which adds up layers and heads as attention_mean does).
// Elsewhere: an attention processor in diffusers; output_attentions in transformers.
// Read next: recorder.h, which fills these during a run; trace.h, which keeps them for each step.

#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct LayerMaps {
    char *place;  // "down_blocks.0.attentions.1"; malloc'ed
    size_t heads, keys, height, width;
    float *maps;  // [heads, keys, height, width]; malloc'ed. One head: it may be the mean of several
} LayerMaps;

// Of one call of the U-Net, in the order in which its layers ran
typedef struct AttentionMaps {
    LayerMaps *layers;
    size_t count;
} AttentionMaps;

typedef struct TextLayerMaps {
    char *place;           // "layers.3"; malloc'ed
    size_t heads, length;  // length: tokens
    float *maps;           // [heads, length, length]: row i says which tokens token i looked at; malloc'ed
} TextLayerMaps;

// Of one prompt's way through the text encoder
typedef struct TextAttention {
    TextLayerMaps *layers;
    size_t count;
} TextAttention;

// A layer more: its maps, to be filled. place is copied. NULL without memory; then there is no layer more.
float *attention_maps_add(AttentionMaps *maps, const char *place, size_t heads, size_t keys, size_t height,
                          size_t width);
float *text_attention_add(TextAttention *text, const char *place, size_t heads, size_t length);

void attention_maps_free(AttentionMaps *maps);  // leaves it empty; twice is fine
void text_attention_free(TextAttention *text);

size_t attention_maps_bytes(const AttentionMaps *maps);

#define ATTENTION_ALL ((size_t)-1)

// The map of one token (key), as map [height, width]: the mean over layers, of each over its heads, stretched to this
// size by bilinear interpolation (torch's interpolate without align_corners). ATTENTION_ALL for layer or head takes all;
// a head that only some layers have is looked for in those. False if there is no such layer, head or token.
bool attention_mean(const AttentionMaps *maps, size_t layer, size_t head, size_t key, size_t height, size_t width,
                    float *map);

// sum [height, width] += weight times map [from_height, from_width], stretched to that size (bilinear, without align_corners)
void map_add_stretched(float *sum, size_t height, size_t width, const float *map, size_t from_height, size_t from_width,
                       float weight);
