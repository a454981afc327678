// run_golden.c - see run_golden.h

#include "parity/run_golden.h"

#include "test.h"
#include "unit/runs.h"

#include <math.h>
#include <stdio.h>

const SafetensorsEntry *run_golden_entry(const SafetensorsFile *golden, const char *name, const char *what) {
    char full_name[128];
    snprintf(full_name, sizeof full_name, "%s.%s", name, what);
    return safetensors_find(golden, full_name);
}

const SafetensorsEntry *run_golden_expect(const SafetensorsFile *golden, const char *name, const char *what) {
    const SafetensorsEntry *entry = run_golden_entry(golden, name, what);
    EXPECT(entry, "the golden has no %s.%s", name, what);
    return entry;
}

static void compare_first(const SafetensorsFile *golden, const char *name, const char *what, const float *ours,
                          size_t n, double bound) {
    const SafetensorsEntry *reference = run_golden_entry(golden, name, what);
    double off = reference ? relative_l2(ours, reference->data, n) : 0;
    EXPECT(off <= bound, "%s: the first %s is off by %.2g", name, what, off);
}

double run_golden_follow(const SafetensorsFile *golden, const char *name, Run *run, double bound) {
    const SafetensorsEntry *latents = run_golden_expect(golden, name, "latents"),
                           *timesteps = run_golden_entry(golden, name, "timesteps");
    if (!latents) return INFINITY;
    size_t steps = latents->axis[0] - 1, n = latents->axis[1] * latents->axis[2] * latents->axis[3], height, width;
    const float *reference = latents->data;
    run_latent_size(run, &height, &width);
    EXPECT(n == LATENT_CHANNELS * height * width, "%s: %zu latents, not %zu", name, LATENT_CHANNELS * height * width,
           n);
    EXPECT(run_step_count(run) == steps, "%s: %zu steps, not %zu", name, run_step_count(run), steps);
    EXPECT(!timesteps || timesteps->axis[0] == steps, "%s: another number of timesteps than of steps", name);
    if (n != LATENT_CHANNELS * height * width || (timesteps && timesteps->axis[0] != steps)) return INFINITY;

    Error error = {0};
    double worst = relative_l2(run_latents(run), reference, n);
    for (size_t k = 0; k < steps && run_step(run, &error) == STEP_DONE_ONE; k++) {
        const StepRecord *step = run_last_step(run);
        float timestep = timesteps ? ((const float *)timesteps->data)[k] : step->timestep;
        EXPECT(step->k == k && step->timestep == timestep, "%s: step %zu is at %g, not %g", name, k,
               (double)step->timestep, (double)timestep);
        if (k == 0) {
            compare_first(golden, name, "noise_pred", step->noise_pred, n, bound);
            compare_first(golden, name, "pred_original_sample", step->pred_original_sample, n, bound);
        }
        worst = fmax(worst, relative_l2(step->prev_sample, reference + (k + 1) * n, n));
    }
    EXPECT(run_step(run, &error) == STEP_NONE_LEFT, "%s: it doesn't end where it should: %s", name, error.message);
    return worst;
}

double run_golden_off(const SafetensorsFile *golden, const char *name, const Model *model, const Settings *settings) {
    const SafetensorsEntry *latents = run_golden_expect(golden, name, "latents");
    if (!latents) return 0;
    Run *run = runs_begin(model, settings);
    runs_finish(run);
    size_t n = latents->axis[1] * latents->axis[2] * latents->axis[3];
    double off = relative_l2(run_latents(run), (const float *)latents->data + (latents->axis[0] - 1) * n, n);
    run_free(run);
    return off;
}

double run_golden_psnr(const SafetensorsEntry *reference, const Image *image) {
    size_t area = image->height * image->width;
    if (reference->axis[1] != image->height || reference->axis[2] != image->width) return 0;
    double squares = 0;
    for (size_t i = 0; i < 3 * area; i++) {
        float theirs = f16_to_f32(((const uint16_t *)reference->data)[i % 3 * area + i / 3]);
        double off = (double)(theirs - (float)image->pixels[i]) / 255;
        squares += off * off;
    }
    return squares > 0 ? -10 * log10(squares / (double)(3 * area)) : 99;
}

Image run_golden_init(size_t width, size_t height) {
    Image image = image_new(width, height);
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            uint8_t *pixel = image.pixels + (y * width + x) * 3;
            pixel[0] = (uint8_t)(x * 255 / (width - 1));
            pixel[1] = (uint8_t)(y * 255 / (height - 1));
            pixel[2] = (uint8_t)((x + y) % 16 * 17);
        }
    }
    return image;
}
