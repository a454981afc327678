// test_lora_parity.c - models with LoRAs against diffusers' load_lora_weights (tests/make_golden_lora.py)

#include "sculpt.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODELS "tests/golden/runs"
#define LORAS "tests/golden/lora"

static const double BOUND = 1e-4;  // relative L2 of the last latents

typedef struct Case {
    const char *name, *model;
    LoraFile loras[3];
    size_t lora_count;
} Case;

// The same as RUNS in make_golden_lora.py; then other files that hold the same changes
static const Case CASES[] = {
    {"style", "sd1", {{LORAS "/style.safetensors", 1}}, 1},
    {"other", "sd1", {{LORAS "/other.safetensors", 1}}, 1},
    {"two", "sd1", {{LORAS "/style.safetensors", 0.7f}, {LORAS "/other.safetensors", -0.3f}}, 2},
    {"attention", "sd1", {{LORAS "/attention.safetensors", 1}}, 1},
    {"ldm", "sd1", {{LORAS "/ldm.safetensors", 0.8f}}, 1},
    {"second", "sd2", {{LORAS "/second_kohya.safetensors", 1.5f}}, 1},
    {"style", "sd1", {{LORAS "/style_kohya.safetensors", 1}}, 1},
    {"attention", "sd1", {{LORAS "/attention_old.safetensors", 1}}, 1},
    {"two",
     "sd1",
     {{LORAS "/other.safetensors", -0.3f},
      {LORAS "/style_kohya.safetensors", 0.5f},
      {LORAS "/style_kohya.safetensors", 0.2f}},
     3},
};
enum { CASE_COUNT = sizeof CASES / sizeof CASES[0] };

// How far the last latents with these LoRAs are from the golden of this name; infinity where they can't be drawn.
static double off_with(const SafetensorsFile *golden, const char *name, const char *model_name, const LoraFile *loras,
                       size_t count) {
    char path[256];
    Error error = {0};
    snprintf(path, sizeof path, "%s/%s", MODELS, model_name);
    ModelOptions options = {.loras = loras, .lora_count = count};
    Model *model = model_open_with(path, &options, &error);
    EXPECT(model, "%s: %s", name, error.message);
    const SafetensorsEntry *latents = safetensors_find(golden, name);
    EXPECT(latents, "the golden has no %s", name);
    if (!model || !latents) exit(1);

    Settings settings = settings_default(model);
    settings.prompt = "a pink cat wearing a crown, at night";
    settings.negative_prompt = "blurry hat";
    settings.width = 24;
    settings.height = 32;
    settings.num_inference_steps = 5;
    settings.guidance_scale = 4;
    settings.seed = 3;
    Run *run = run_begin(model, &settings, &error);
    EXPECT(run, "%s: %s", name, error.message);
    if (!run) exit(1);
    while (run_step(run, &error) == STEP_DONE_ONE) continue;
    double off = relative_l2(run_latents(run), latents->data, latents->bytes / sizeof(float));
    run_free(run);
    model_close(model);
    return off;
}

static SafetensorsFile *open_golden(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open(LORAS "/golden.safetensors", &error);
    if (golden) return golden;
    printf("%s\n", error.message);
    exit(1);
}

static void test_runs(void) {
    SafetensorsFile *golden = open_golden();
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const Case *c = &CASES[i];
        double off = off_with(golden, c->name, c->model, c->loras, c->lora_count);
        EXPECT(off <= BOUND, "case %zu, %s: latents are off by %.2g", i, c->name, off);
        printf("parity  lora %-28s latents %.1e (bound %.0e)\n", strrchr(c->loras[0].path, '/') + 1, off, BOUND);
    }
    safetensors_close(golden);
}

// ---- the test can fail ----------------------------------------------------------------------------------------------

static void test_mistakes_show(void) {
    SafetensorsFile *golden = open_golden();
    const LoraFile style = {LORAS "/style.safetensors", 1}, other = {LORAS "/other.safetensors", 1};
    double off = off_with(golden, "style", "sd1", NULL, 0);
    EXPECT(off > 100 * BOUND, "no LoRA at all only shows as %.2g", off);
    off = off_with(golden, "style", "sd1", (LoraFile[]){style, style}, 2);
    EXPECT(off > 100 * BOUND, "twice the change only shows as %.2g", off);
    off = off_with(golden, "style", "sd1", &(LoraFile){style.path, 1.005f}, 1);
    EXPECT(off > 10 * BOUND, "half a percent too much only shows as %.2g", off);
    off = off_with(golden, "two", "sd1", (LoraFile[]){{style.path, -0.3f}, {other.path, 0.7f}}, 2);
    EXPECT(off > 100 * BOUND, "swapped weights only show as %.2g", off);
    off = off_with(golden, "other", "sd1", &(LoraFile){other.path, 0.5f}, 1);
    EXPECT(off > 100 * BOUND, "alpha by the rank in place of its root only shows as %.2g", off);
    safetensors_close(golden);
}

int main(void) {
    TEST(test_runs);
    TEST(test_mistakes_show);
    return test_summary();
}
