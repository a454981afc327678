// attention.c - see attention.h

#include "run/attention.h"

#include "base/least.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- layers ---------------------------------------------------------------------------------------------------------

// A layer's name and room for its maps
static bool layer_new(const char *place, size_t numbers, char **name, float **maps) {
    *name = strdup(place);
    *maps = malloc(numbers * sizeof **maps + 1);
    if (*name && *maps) return true;
    free(*name);
    free(*maps);
    return false;
}

float *attention_maps_add(AttentionMaps *maps, const char *place, size_t heads, size_t keys, size_t height,
                          size_t width) {
    LayerMaps layer = {.heads = heads, .keys = keys, .height = height, .width = width};
    LayerMaps *layers = realloc(maps->layers, (maps->count + 1) * sizeof *layers);
    if (!layers) return NULL;
    maps->layers = layers;
    if (!layer_new(place, heads * keys * height * width, &layer.place, &layer.maps)) return NULL;
    layers[maps->count++] = layer;
    return layer.maps;
}

float *text_attention_add(TextAttention *text, const char *place, size_t heads, size_t length) {
    TextLayerMaps layer = {.heads = heads, .length = length};
    TextLayerMaps *layers = realloc(text->layers, (text->count + 1) * sizeof *layers);
    if (!layers) return NULL;
    text->layers = layers;
    if (!layer_new(place, heads * length * length, &layer.place, &layer.maps)) return NULL;
    layers[text->count++] = layer;
    return layer.maps;
}

void attention_maps_free(AttentionMaps *maps) {
    for (size_t i = 0; i < maps->count; i++) {
        free(maps->layers[i].place);
        free(maps->layers[i].maps);
    }
    free(maps->layers);
    *maps = (AttentionMaps){0};
}

void text_attention_free(TextAttention *text) {
    for (size_t i = 0; i < text->count; i++) {
        free(text->layers[i].place);
        free(text->layers[i].maps);
    }
    free(text->layers);
    *text = (TextAttention){0};
}

size_t attention_maps_bytes(const AttentionMaps *maps) {
    size_t bytes = 0;
    for (size_t i = 0; i < maps->count; i++) {
        const LayerMaps *layer = &maps->layers[i];
        bytes += layer->heads * layer->keys * layer->height * layer->width * sizeof *layer->maps;
    }
    return bytes;
}

// ---- one map of many ------------------------------------------------------------------------------------------------

// Where pixel i of an axis that is stretched from `from` to `to` pixels looks: between two pixels, at their middles. At
// the rims both are the outermost.
typedef struct Between {
    size_t near, far;
    float share;  // of far
} Between;

static Between between(size_t i, size_t from, size_t to) {
    float at = fmaxf(((float)i + 0.5f) * (float)from / (float)to - 0.5f, 0);
    size_t near = least((size_t)at, from - 1);
    return (Between){near, least(near + 1, from - 1), at - (float)near};
}

void map_add_stretched(float *sum, size_t height, size_t width, const float *map, size_t from_height, size_t from_width,
                       float weight) {
    for (size_t y = 0; y < height; y++) {
        Between row = between(y, from_height, height);
        const float *near = map + row.near * from_width, *far = map + row.far * from_width;
        for (size_t x = 0; x < width; x++) {
            Between column = between(x, from_width, width);
            float above = near[column.near] + column.share * (near[column.far] - near[column.near]);
            float below = far[column.near] + column.share * (far[column.far] - far[column.near]);
            sum[y * width + x] += weight * (above + row.share * (below - above));
        }
    }
}

static bool asked_for(const AttentionMaps *maps, size_t i, size_t layer, size_t head, size_t key) {
    const LayerMaps *maps_of = &maps->layers[i];
    return (layer == ATTENTION_ALL || layer == i) && (head == ATTENTION_ALL || head < maps_of->heads) &&
           key < maps_of->keys;
}

bool attention_mean(const AttentionMaps *maps, size_t layer, size_t head, size_t key, size_t height, size_t width,
                    float *map) {
    size_t layers = 0;
    for (size_t i = 0; i < maps->count; i++) layers += asked_for(maps, i, layer, head, key);
    if (layers == 0) return false;

    memset(map, 0, height * width * sizeof *map);
    for (size_t i = 0; i < maps->count; i++) {
        if (!asked_for(maps, i, layer, head, key)) continue;
        const LayerMaps *l = &maps->layers[i];
        size_t first = head == ATTENTION_ALL ? 0 : head, heads = head == ATTENTION_ALL ? l->heads : 1;
        for (size_t h = first; h < first + heads; h++) {
            const float *seen = l->maps + (h * l->keys + key) * l->height * l->width;
            map_add_stretched(map, height, width, seen, l->height, l->width, 1 / (float)(layers * heads));
        }
    }
    return true;
}
