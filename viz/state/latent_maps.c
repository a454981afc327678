// latent_maps.c - see latent_maps.h

#include "state/latent_maps.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

static float number_at(StepNumbers of, size_t i) { return of.numbers[i] - (of.minus ? of.minus[i] : 0); }

float numbers_rms(StepNumbers of, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)number_at(of, i) * number_at(of, i);
    return (float)sqrt(sum / (double)n);
}

void latent_maps_free(LatentMaps *maps) {
    for (size_t c = 0; c < LATENT_CHANNELS; c++) picture_free(&maps->maps[c]);
}

bool latent_maps_of(LatentMaps *maps, const Branch *branch, size_t k, PictureKind kind, const Theme *theme) {
    StepNumbers of = branch_numbers(branch, k, kind);
    if (!of.numbers) return false;
    if (maps->maps[0].id && maps->branch == branch->id && maps->k == k && maps->kind == kind &&
        maps->dark == theme->dark)
        return true;
    latent_maps_free(maps);
    *maps = (LatentMaps){.branch = branch->id, .k = k, .kind = kind, .dark = theme->dark};
    size_t height = branch->trace->height, width = branch->trace->width, area = height * width;
    float *channels = malloc(LATENT_CHANNELS * area * sizeof *channels);
    CHECK(channels, "out of memory");
    for (size_t c = 0; c < LATENT_CHANNELS; c++) {
        maps->low[c] = INFINITY, maps->high[c] = -INFINITY;
        for (size_t i = c * area; i < (c + 1) * area; i++) {
            channels[i] = number_at(of, i);
            maps->low[c] = fminf(maps->low[c], channels[i]);
            maps->high[c] = fmaxf(maps->high[c], channels[i]);
        }
        maps->range = fmaxf(maps->range, fmaxf(fabsf(maps->low[c]), fabsf(maps->high[c])));
    }
    for (size_t c = 0; c < LATENT_CHANNELS; c++)
        maps->maps[c] = difference_picture(theme, channels + c * area, height, width, maps->range);
    free(channels);
    return true;
}
