// maps.c - see maps.h

#include "state/maps.h"

#include "base/check.h"
#include "critters/grade/words_grade.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- what is kept ---------------------------------------------------------------------------------------------------

static bool same_key(const MapKey *a, const MapKey *b) {
    return a->kind == b->kind && a->of == b->of && a->item == b->item && a->k == b->k && a->layer == b->layer &&
           a->head == b->head && a->high == b->high;
}

static MapPicture *longest_not_looked_at(Maps *maps) {
    MapPicture *oldest = maps->kept;
    for (size_t i = 1; i < maps->count; i++) {
        if (maps->kept[i].looked_at < oldest->looked_at) oldest = &maps->kept[i];
    }
    return oldest;
}

// What is kept under this key, or an empty one (picture.id 0) for the caller to fill.
static MapPicture *place_of(Maps *maps, MapKey key) {
    maps->looks++;
    for (size_t i = 0; i < maps->count; i++) {
        if (!same_key(&maps->kept[i].key, &key)) continue;
        maps->kept[i].looked_at = maps->looks;
        return &maps->kept[i];
    }
    if (!maps->kept) maps->kept = calloc(MAPS_KEPT, sizeof *maps->kept);
    CHECK(maps->kept, "out of memory");
    MapPicture *place = maps->count < MAPS_KEPT ? &maps->kept[maps->count++] : longest_not_looked_at(maps);
    picture_free(&place->picture);
    *place = (MapPicture){.key = key, .looked_at = maps->looks};
    return place;
}

void maps_free(Maps *maps) {
    for (size_t i = 0; i < maps->count; i++) picture_free(&maps->kept[i].picture);
    free(maps->kept);
    *maps = (Maps){0};
}

// ---- numbers to colours ---------------------------------------------------------------------------------------------

static void fill(MapPicture *place, const float *map, size_t height, size_t width, float low, float high) {
    place->low = low;
    place->high = high;
    place->picture = map_picture(map, height, width, low, high);
}

static float largest(const float *map, size_t n) {
    float high = 0;
    for (size_t i = 0; i < n; i++) high = fmaxf(high, map[i]);
    return high;
}

// Where a word is looked at little everywhere, what counts is where a little more.
static void fill_from_lowest(MapPicture *place, const float *map, size_t height, size_t width) {
    float low = INFINITY;
    for (size_t i = 0; i < height * width; i++) low = fminf(low, map[i]);
    fill(place, map, height, width, low, largest(map, height * width));
}

const MapPicture *maps_deletion(Maps *maps, const Branch *branch, const DeletionMap *deletion, float high) {
    MapKey key = {.kind = MAP_DELETION, .of = branch->id, .item = deletion->word, .k = deletion->k, .high = high};
    MapPicture *place = place_of(maps, key);
    size_t height = branch->trace->height, width = branch->trace->width;
    if (!place->picture.id)
        fill(place, deletion->map, height, width, 0, high > 0 ? high : largest(deletion->map, height * width));
    return place;
}

// map [height, width]: the sum over the word's tokens
static bool word_attention(const AttentionMaps *maps, const PromptWord *word, size_t layer, size_t head, size_t height,
                           size_t width, float *map) {
    size_t n = height * width;
    float *token = malloc(n * sizeof *token);
    CHECK(token, "out of memory");
    memset(map, 0, n * sizeof *map);
    bool ok = true;
    for (size_t t = word->first; ok && t <= word->last; t++) {
        ok = attention_mean(maps, layer, head, t + 1, height, width, token);  // token 0 is the start
        for (size_t i = 0; ok && i < n; i++) map[i] += token[i];
    }
    free(token);
    return ok;
}

const MapPicture *maps_attention(Maps *maps, Branch *branch, const StepAttention *attention, size_t word, size_t layer,
                                 size_t head) {
    const PromptWords *words = branch_words(branch, attention->k);
    if (!words || word >= words->count || (layer != ATTENTION_ALL && layer >= attention->maps.count)) return NULL;
    MapPicture *place = place_of(
        maps,
        (MapKey){
            .kind = MAP_ATTENTION, .of = branch->id, .item = word, .k = attention->k, .layer = layer, .head = head});
    if (place->picture.id) return place;
    const LayerMaps *alone = layer == ATTENTION_ALL ? NULL : &attention->maps.layers[layer];
    size_t height = alone ? alone->height : branch->trace->height, width = alone ? alone->width : branch->trace->width;
    float *map = malloc(height * width * sizeof *map);
    CHECK(map, "out of memory");
    bool ok = word_attention(&attention->maps, &words->words[word], layer, head, height, width, map);
    if (ok) fill_from_lowest(place, map, height, width);
    free(map);
    return ok ? place : NULL;
}

const MapPicture *maps_text(Maps *maps, const Branch *branch, size_t chapter, const TextAttention *text, size_t layer,
                            size_t head, size_t count) {
    const TextLayerMaps *l = &text->layers[layer];
    MapPicture *place = place_of(
        maps, (MapKey){.kind = MAP_TEXT, .of = branch->id, .item = chapter, .k = count, .layer = layer, .head = head});
    if (place->picture.id) return place;
    float *map = malloc(count * count * sizeof *map);
    CHECK(map, "out of memory");
    for (size_t i = 0; i < count; i++)
        memcpy(map + i * count, l->maps + (head * l->length + i) * l->length, count * sizeof *map);
    fill(place, map, count, count, 0, 1);
    free(map);
    return place;
}

// ---- the painter's --------------------------------------------------------------------------------------------------

const MapPicture *maps_grade_deletion(Maps *maps, const WordGrades *grades, int number, size_t word) {
    MapPicture *place = place_of(maps, (MapKey){.kind = MAP_GRADE_DELETION, .of = number, .item = word});
    const float *map = grades->words[word].deletion;
    size_t n = grades->height * grades->width;
    if (!place->picture.id) fill(place, map, grades->height, grades->width, 0, largest(map, n));
    return place;
}

const MapPicture *maps_grade_attention(Maps *maps, const WordGrades *grades, int number, size_t word) {
    MapPicture *place = place_of(maps, (MapKey){.kind = MAP_GRADE_ATTENTION, .of = number, .item = word});
    if (!place->picture.id) fill_from_lowest(place, grades->words[word].attention, grades->height, grades->width);
    return place;
}

const Picture *maps_drawing(Maps *maps, const WordGrades *grades, int number) {
    MapPicture *place = place_of(maps, (MapKey){.kind = MAP_DRAWING, .of = number});
    if (place->picture.id) return &place->picture;
    Image image = image_new(grades->drawing.width, grades->drawing.height);
    CHECK(image.pixels, "out of memory");
    memcpy(image.pixels, grades->drawing.pixels, 3 * image.width * image.height);
    place->picture = picture_of(image);
    return &place->picture;
}

// ---- around them ----------------------------------------------------------------------------------------------------

const Picture *maps_grey(Maps *maps, const Picture *picture) {
    MapPicture *place = place_of(maps, (MapKey){.kind = MAP_GREY, .item = picture->id});
    if (place->picture.id) return &place->picture;
    Image image = image_new(picture->image.width, picture->image.height);
    CHECK(image.pixels, "out of memory");
    for (size_t i = 0; i < image.width * image.height; i++) {
        const uint8_t *rgb = picture->image.pixels + 3 * i;
        memset(image.pixels + 3 * i, (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2]) / 1000, 3);  // luma of Rec. 601
    }
    place->picture = picture_of(image);
    return &place->picture;
}

const Picture *maps_scale(Maps *maps) {
    enum { COLORS = 128 };
    MapPicture *place = place_of(maps, (MapKey){.kind = MAP_SCALE});
    float values[COLORS];
    for (size_t i = 0; i < COLORS; i++) values[i] = (float)i;
    if (!place->picture.id) fill(place, values, 1, COLORS, 0, COLORS - 1);
    return &place->picture;
}
