// difference.c - see difference.h

#include "state/difference.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

const float DIFFERENCE_RANGE = 0.5f;

bool difference_of(PictureDifference *difference, const Picture *of, const Picture *to, const Theme *theme) {
    const Image *a = &of->image, *b = &to->image;
    if (a->width != b->width || a->height != b->height) return false;
    bool same = difference->picture.id && difference->of == of->id && difference->to == to->id &&
                difference->dark == theme->dark;
    if (same) return true;
    size_t n = a->width * a->height;
    float *map = malloc(n * sizeof *map);
    CHECK(map, "out of memory");
    double all = 0;
    for (size_t i = 0; i < n; i++) {
        float sum = 0, squares = 0;
        for (size_t c = 0; c < 3; c++) {
            float by = (float)(a->pixels[i * 3 + c] - b->pixels[i * 3 + c]) / 255;
            sum += by;
            squares += by * by;
        }
        map[i] = copysignf(sqrtf(squares / 3), sum);
        all += squares / 3;
    }
    picture_free(&difference->picture);
    *difference = (PictureDifference){.picture = difference_picture(theme, map, a->height, a->width, DIFFERENCE_RANGE),
                                      .of = of->id,
                                      .to = to->id,
                                      .dark = theme->dark,
                                      .rms = (float)(sqrt(all / (double)n) * 255)};
    free(map);
    return true;
}

void difference_free(PictureDifference *difference) { picture_free(&difference->picture); }
