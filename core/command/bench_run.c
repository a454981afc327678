// bench_run.c - from a prompt to pixels, with the model loaded: what somebody waits for who draws a second picture
//
// Read next: pipeline.c.

#include "command/bench.h"

#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct RunBench {
    const Model *model;
    Settings settings;
    size_t activation_bytes;
} RunBench;

static bool run_pass(void *subject, Profile *profile, Error *error) {
    RunBench *bench = subject;
    bench->settings.profile = profile;
    Run *run = run_begin(bench->model, &bench->settings, error);
    if (!run) return false;
    StepResult result;
    while ((result = run_step(run, error)) == STEP_DONE_ONE) continue;
    Image image = {0};
    bool ok = result == STEP_NONE_LEFT && run_finish(run, &image, error);
    bench->activation_bytes = run_peak_activation_bytes(run);
    image_free(&image);
    run_free(run);
    return ok;
}

static bool measure(Bench *bench, const Model *model, Error *error) {
    const Options *o = bench->options;
    RunBench run = {.model = model, .settings = settings_asked(model, o)};
    Settings *settings = &run.settings;
    settings->prompt = "a pygmy hippo wearing sunglasses on the beach";
    settings->seed = 1;
    if (o->latent_height > 0) {
        settings->height = o->latent_height * vae_factor(model->vae);
        settings->width = o->latent_width * vae_factor(model->vae);
    }
    RunCost cost;
    if (!run_cost(model, settings, &cost, error)) return false;
    cost_add(&bench->planned, &cost.text, 1);
    cost_add(&bench->planned, &cost.steps, 1);
    cost_add(&bench->planned, &cost.decode, 1);
    bench->weight_bytes = cost.weight_bytes;
    snprintf(bench->subject, sizeof bench->subject, "run of %.150s, %zu x %zu pixels, %zu steps of %s, guidance %g",
             model->path, settings->width, settings->height, cost.timestep_count, cost.scheduler->name,
             (double)settings->guidance_scale);
    bool ok = bench_measure(bench, run_pass, &run, error);
    bench->activation_bytes = run.activation_bytes;
    return ok;
}

bool bench_run(Bench *bench, Error *error) {
    ModelOptions opening = model_options_asked(bench->options);
    char *path = model_folder(bench->options);
    Model *model = model_open_with(path, &opening, error);
    bool ok = model && measure(bench, model, error);
    model_close(model);
    free(path);
    return ok;
}
