// runs.c - see runs.h

#include "runs.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Model *runs_model(void) {
    Error error = {0};
    Model *model = model_open("tests/golden/runs/sd1", &error);
    if (!model) {
        printf("%s\n", error.message);
        exit(1);
    }
    return model;
}

Settings runs_usual(const Model *model) {
    Settings settings = settings_default(model);
    settings.prompt = "a pink cat";
    settings.width = WIDTH;
    settings.height = HEIGHT;
    settings.num_inference_steps = 6;
    settings.seed = 11;
    return settings;
}

Run *runs_begin(const Model *model, const Settings *settings) {
    Error error = {0};
    Run *run = run_begin(model, settings, &error);
    if (!run) {
        printf("%s\n", error.message);
        exit(1);
    }
    return run;
}

void runs_step(Run *run, size_t times) {
    Error error = {0};
    for (size_t i = 0; i < times; i++) EXPECT(run_step(run, &error) == STEP_DONE_ONE, "step %zu: %s", i, error.message);
}

void runs_finish(Run *run) {
    Error error = {0};
    StepResult result;
    while ((result = run_step(run, &error)) == STEP_DONE_ONE) continue;
    EXPECT(result == STEP_NONE_LEFT, "%s", error.message);
}

bool runs_same(const Run *a, const Run *b) {
    return memcmp(run_latents(a), run_latents(b), LATENTS * sizeof(float)) == 0;
}
