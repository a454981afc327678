// demo.c - lesson 04: what DDIM guesses at every step, and what becomes of the picture where its step is wrong
//
// guesses.png: above the latents, below the guess, decoded. mistakes.png: the same noise, with seven ways to step.
// Read next: exercise.h.

#include "demo/demo.h"
#include "demo/measure.h"
#include "demo/steps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 20 };

// ---- the guess beside the latents -----------------------------------------------------------------------------------

static void show_guesses(const Model *model, const char *path) {
    static const size_t SHOWN[] = {0, 3, 6, 10, 14, 19};
    const size_t columns = sizeof SHOWN / sizeof *SHOWN;
    Settings settings = demo_settings(model);
    settings.num_inference_steps = STEPS, settings.guidance_scale = 1;
    Run *run = demo_run(model, &settings);
    const Scheduler *scheduler = run_scheduler(run);

    Sheet sheet = sheet_new(columns, 2, 64);
    float *guesses[STEPS];
    size_t n = 0;
    for (size_t k = 0, column = 0; demo_step(run); k++) {
        const StepRecord *step = run_last_step(run);
        n = step->channels * step->height * step->width;
        guesses[k] = demo_copy(step->pred_original_sample, n);
        if (column == columns || SHOWN[column] != k) continue;
        Image noisy = demo_preview(run, step->latents), guess = demo_decode(run, step->pred_original_sample);
        sheet_place(&sheet, column, 0, &noisy), sheet_place(&sheet, column, 1, &guess);
        image_free(&noisy), image_free(&guess);
        column++;
    }

    const float *picture = run_latents(run);
    printf("step     t   latents = picture x + noise x   the guess: off by   contrast\n");
    for (size_t k = 0; k < STEPS; k++) {
        double t = (double)scheduler->timesteps[k], a = (double)scheduler->alphas_cumprod[(size_t)t];
        printf("%4zu  %4.0f  %18.2f  %9.2f  %16.0f%%  %9.2f\n", k, t, sqrt(a), sqrt(1 - a),
               100 * distance_between(guesses[k], picture, n), deviation(guesses[k], n));
        free(guesses[k]);
    }
    sheet_write(&sheet, path);
    run_free(run);
}

// ---- wrong steps ----------------------------------------------------------------------------------------------------

typedef enum Way { RIGHT, DIVIDES_BY_A, NEXT_IS_T_MINUS_1, OLD_NOISE, NO_NOISE, NOISE_WITHOUT_ROOT, WAYS } Way;

static const char *const WAY_NAME[WAYS] = {
    "right",
    "x0 divided by a, not sqrt(a)",
    "next stop t - 1",
    "the old level's noise put back",
    "no noise put back",
    "1 - a_prev of the noise put back",
};

static Way way;  // a StepFunction is told nothing else

static void wrong_step(Scheduler *s, size_t k, const float *latents, const float *noise, const float *fresh_noise,
                       float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    long t = (long)s->timesteps[k], t_prev = way == NEXT_IS_T_MINUS_1 ? t - 1 : t - 1000 / STEPS;
    float a_t = s->alphas_cumprod[t], a_prev = t_prev < 0 ? s->final_alpha_cumprod : s->alphas_cumprod[t_prev];

    float divisor = way == DIVIDES_BY_A ? a_t : sqrtf(a_t), put_back = sqrtf(1 - a_prev);
    if (way == OLD_NOISE) put_back = sqrtf(1 - a_t);
    if (way == NO_NOISE) put_back = 0;
    if (way == NOISE_WITHOUT_ROOT) put_back = 1 - a_prev;
    for (size_t i = 0; i < n; i++) {
        float x0 = (latents[i] - sqrtf(1 - a_t) * noise[i]) / divisor;
        pred_original_sample[i] = x0;
        prev_sample[i] = sqrtf(a_prev) * x0 + put_back * noise[i];
    }
}

static void show_mistakes(const Model *model, const char *path) {
    Settings settings = demo_settings(model);
    settings.num_inference_steps = STEPS;
    Sheet sheet = sheet_new(WAYS, 1, 64);
    float *right = NULL;
    for (way = RIGHT; way < WAYS; way++) {
        SchedulerKind kind;
        Run *run = demo_run(model, &settings);
        run_take_step(run, &kind, wrong_step);
        while (demo_step(run)) continue;
        size_t height, width;
        run_latent_size(run, &height, &width);
        size_t n = LATENT_CHANNELS * height * width;
        if (way == RIGHT) right = demo_copy(run_latents(run), n);
        printf("%-33s latents off by %8.3g%%\n", WAY_NAME[way], 100 * distance_between(run_latents(run), right, n));
        Image image = demo_decode(run, run_latents(run));
        sheet_place(&sheet, way, 0, &image);
        image_free(&image);
        run_free(run);
    }
    free(right);
    sheet_write(&sheet, path);
}

int main(int argc, char **argv) {
    Model *model = demo_model();
    show_guesses(model, demo_path(argc, argv, "guesses.png").text);
    printf("\n");
    show_mistakes(model, demo_path(argc, argv, "mistakes.png").text);
    model_close(model);
    return 0;
}
