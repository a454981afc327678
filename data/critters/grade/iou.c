// iou.c - see iou.h

#include "critters/grade/iou.h"

#include "run/attention.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int larger_first(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

// The sum over the mask of what counts of each pixel, when `area` of all n do: 1 if it is among the largest, and what
// is left of the area is shared out among those that come next and are equal. sorted: the map's numbers, the largest
// first.
static float intersection(const float *map, const float *sorted, const uint8_t *mask, size_t n, size_t area) {
    float cut = sorted[area - 1];
    size_t above = 0, equal = 0, mask_above = 0, mask_equal = 0;
    for (size_t i = 0; i < n; i++) {
        above += map[i] > cut;
        equal += map[i] == cut;
        mask_above += mask[i] && map[i] > cut;
        mask_equal += mask[i] && map[i] == cut;
    }
    return (float)mask_above + (float)mask_equal * (float)(area - above) / (float)equal;
}

float map_iou(const float *map, size_t height, size_t width, const uint8_t *mask, size_t side) {
    size_t n = side * side, area = 0;
    for (size_t i = 0; i < n; i++) area += mask[i];
    if (area == 0) return 0;
    float *stretched = calloc(2 * n, sizeof *stretched), *sorted = stretched + n;
    if (!stretched) return NAN;
    map_add_stretched(stretched, side, side, map, height, width, 1);
    memcpy(sorted, stretched, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, larger_first);
    float common = intersection(stretched, sorted, mask, n, area);
    free(stretched);
    return common / (2 * (float)area - common);
}

float chance_iou(size_t area, size_t pixels) {
    float a = (float)area / (float)pixels;
    return a / (2 - a);
}
