// shortcuts.c - less work a step, for a picture that is nearly the same
//
// Two of them, both off unless asked for, since both change the picture:
//
//     deep_cache         of N calls of the U-Net the first is a whole one; the others take its deep features over and
//                        compute the outermost layers anew (DeepCache, Ma et al. 2023, arXiv 2312.00858,
//                        uniform 1:N)
//     guidance_interval  only steps with sigma in it are guided; the others need no answer about the negative prompt and
//                        cost half (Kynkäänniemi et al. 2024, arXiv 2404.07724: low < sigma <= high)
//
// With both, an unguided step leaves no deep features behind for the negative prompt. The first guided step after it
// finds them missing and is a whole one, whatever the count says; and the count begins there.
// Where: asked before each step, and by cost.c for all steps of a run that is only planned. What sharing means is in
// stages/unet.h; data/critters/README.md has a table of what they save and cost. Read next: pipeline.c.

#include "run/run.h"

#include <stdlib.h>
#include <string.h>

static bool in_guidance_interval(const Settings *settings, const Scheduler *scheduler, size_t k) {
    float sigma = scheduler_sigma(scheduler, k), low = settings->guidance_low, high = settings->guidance_high;
    return high == 0 || (low < sigma && sigma <= high);
}

StepWork step_work(const Settings *settings, const Scheduler *scheduler, size_t k, size_t rows, DeepAge age) {
    StepWork work = {.rows = in_guidance_interval(settings, scheduler, k) ? rows : 1};
    bool fresh = age.calls > 0 && age.calls < settings->deep_cache;
    work.shallow = fresh && work.rows <= age.rows;
    return work;
}

DeepAge deep_age_after(DeepAge age, StepWork work) {
    if (work.shallow) return (DeepAge){age.calls + 1, age.rows};
    return (DeepAge){1, work.rows};
}

// ---- the deep features that a run holds -----------------------------------------------------------------------------

bool deep_cache_take(DeepCache *deep, const Run *run, const Settings *settings, size_t rows, Error *error) {
    *deep = (DeepCache){0};
    if (settings->deep_cache <= 1) return true;
    deep->shape = unet_deep_shape(run->model->unet, rows, run->height, run->width);
    deep->features = calloc(shape_count(deep->shape), sizeof *deep->features);
    return deep->features ||
           error_set(error, "deep_cache: no memory for %zu numbers; close other programs", shape_count(deep->shape));
}

Tensor deep_cache_rows(const DeepCache *deep, size_t rows) {
    return deep->features ? tensor_last_rows(tensor_over(deep->features, deep->shape), rows) : tensor_absent();
}

bool deep_cache_copy(Run *copy, const Run *run, Error *error) {
    if (!deep_cache_take(&copy->deep, run, &run->settings, run->prompts.rows, error)) return false;
    copy->deep.age = run->deep.age;
    if (run->deep.features) {
        memcpy(copy->deep.features, run->deep.features, shape_count(run->deep.shape) * sizeof(float));
    }
    return true;
}

void deep_cache_free(DeepCache *deep) {
    free(deep->features);
    *deep = (DeepCache){0};
}
