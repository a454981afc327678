// record.c - see record.h

#include "record.h"

#include "demo/demo.h"
#include "demo/steps.h"

#include <stdlib.h>

void guide(float guidance_scale, const float *uncond, const float *text, float *noise_pred, size_t n) {
    for (size_t i = 0; i < n; i++) noise_pred[i] = uncond[i] + guidance_scale * (text[i] - uncond[i]);
}

static size_t latent_count(const Run *run) {
    size_t height, width;
    run_latent_size(run, &height, &width);
    return LATENT_CHANNELS * height * width;
}

// A twin of the run is asked what the U-Net says here; with its answer, falsified, the run takes the step.
static bool step_falsified(Run *run, size_t k, const Settings *settings, const Fault *fault) {
    Error error = {0};
    size_t n = latent_count(run);
    Run *twin = run_copy(run, &error);
    demo_needs(twin, &error);
    bool took = demo_step(twin);
    if (took) {
        const StepRecord *said = run_last_step(twin);
        float *uncond = demo_copy(said->noise_pred_uncond, n), *text = demo_copy(said->noise_pred_text, n),
              *noise_pred = demo_floats(n);
        if (fault->answer) fault->answer(run, k, uncond, text, n);
        (fault->guide ? fault->guide : guide)(settings->guidance_scale, uncond, text, noise_pred, n);
        demo_needs(run_replay(run, &(StepAnswer){uncond, text, noise_pred}, &error) == STEP_DONE_ONE, &error);
        free(uncond), free(text), free(noise_pred);
    }
    run_free(twin);
    return took;
}

static bool step(Run *run, size_t k, const Settings *settings, const Fault *fault) {
    if (fault->before && k < run_step_count(run)) fault->before(run, k);
    if (fault->answer || fault->guide) return step_falsified(run, k, settings, fault);
    return demo_step(run);
}

static void take_picture(Trace *trace, Run *run, const Settings *settings, const Fault *fault) {
    Error error = {0};
    size_t n = latent_count(run), area = settings->width * settings->height;
    float *latents = demo_copy(run_latents(run), n), *pixels = demo_floats(3 * area);
    Image image;
    if (fault->decode) fault->decode(run_model(run), latents, n);
    demo_needs(run_decode(run, latents, &image, pixels, &error), &error);
    if (fault->picture) fault->picture(pixels, area);
    demo_needs(trace_set_image(trace, pixels, settings->height, settings->width, &error), &error);
    image_free(&image), free(latents), free(pixels);
}

Trace *record(const Model *model, const Settings *settings, const Fault *fault) {
    Error error = {0};
    Settings asked = *settings;
    SchedulerKind kind;
    if (fault->settings) fault->settings(&asked);
    Run *run = demo_run(model, &asked);
    run_take_step(run, &kind, run_scheduler(run)->kind->step);
    if (fault->start) fault->start(run, settings, &kind);
    Trace *trace = trace_begin(run, &error);
    demo_needs(trace, &error);
    for (size_t k = 0; step(run, k, settings, fault); k++) demo_needs(trace_step(trace, run, &error), &error);
    take_picture(trace, run, settings, fault);
    run_free(run);
    return trace;
}
