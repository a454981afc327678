// solution.c - lesson 12: words as maps. core/ops/attention.c, core/run/deletion.c and data/critters/grade/iou.c have the same

#include "exercise.h"

#include <math.h>

void word_map(const float *q, const float *k, LookShape s, size_t first, size_t last, float *map) {
    size_t width = s.heads * s.d;
    q += s.places * width, k += s.tokens * width;  // row 1: the prompt's
    for (size_t i = 0; i < s.places; i++) {
        map[i] = 0;
        for (size_t h = 0; h < s.heads; h++) {
            double score[s.tokens], largest = -INFINITY, sum = 0, looked = 0;
            for (size_t t = 0; t < s.tokens; t++) {
                double dot = 0;
                for (size_t c = h * s.d; c < (h + 1) * s.d; c++)
                    dot += (double)q[i * width + c] * (double)k[t * width + c];
                score[t] = dot / sqrt((double)s.d);
                largest = fmax(largest, score[t]);
            }
            for (size_t t = 0; t < s.tokens; t++) {
                double share = exp(score[t] - largest);
                sum += share;
                if (t >= first + 1 && t <= last + 1) looked += share;
            }
            map[i] += (float)(looked / sum / (double)s.heads);
        }
    }
}

void deletion_map(const float *with, const float *without, size_t channels, size_t places, float *map) {
    for (size_t i = 0; i < places; i++) {
        float squares = 0;
        for (size_t c = 0; c < channels; c++) {
            float moved = with[c * places + i] - without[c * places + i];
            squares += moved * moved;
        }
        map[i] = sqrtf(squares);
    }
}

float map_grade(const float *map, const uint8_t *mask, size_t places) {
    size_t area = 0, both = 0;
    for (size_t i = 0; i < places; i++) area += mask[i];
    for (size_t i = 0; i < places; i++) {
        size_t larger = 0;
        for (size_t j = 0; j < places; j++) larger += map[j] > map[i];
        both += larger < area && mask[i];
    }
    return (float)both / (float)(2 * area - both);
}
