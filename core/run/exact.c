// exact.c - a run that asks the training set instead of the U-Net
//
// Where: in run_ask_unet's place, from settings.exact on. All else stays: noise, scheduler, guidance, traces, copies.
// A prompt means those latents of the set that it describes, the empty one all of them; guidance goes from the answer
// over the negative prompt's latents towards the answer over the prompt's. The text encoder reads the prompts as ever,
// since a trace shows what it says, but nobody listens to it.
// Read next: stages/exact_denoiser.h.

#include "run/run.h"

#include <stdlib.h>
#include <string.h>

// ---- what can't be --------------------------------------------------------------------------------------------------

static bool set_fits(const Model *model, const Settings *settings, Error *error) {
    const LatentSet *set = &settings->exact->set;
    size_t factor = vae_factor(model->vae), height = settings->height / factor, width = settings->width / factor;
    if (set->count == 0) return error_set(error, "exact: the set holds no latents; give at least one");
    if (set->channels == LATENT_CHANNELS && set->height == height && set->width == width) return true;
    return error_set(error,
                     "exact: the set's latents are [%zu, %zu, %zu], those of a picture of %zux%zu are [%d, %zu, %zu]; "
                     "draw in the set's size",
                     set->channels, set->height, set->width, settings->width, settings->height, LATENT_CHANNELS, height,
                     width);
}

static bool window_fits(const ExactDenoiser *exact, Error *error) {
    size_t N = exact->window, most = exact->set.height < exact->set.width ? exact->set.height : exact->set.width;
    if (N == 0 || (N % 2 == 1 && N <= most)) return true;
    return error_set(error, "window: %zu; it has a middle and fits the picture, so it must be odd and at most %zu", N,
                     most);
}

bool exact_check(const Model *model, const Settings *settings, Error *error) {
    if (!settings->exact) return true;
    if (model_inpaints(model)) {
        return error_set(error,
                         "exact: this model's U-Net is shown a mask, which the exact denoiser doesn't know; take "
                         "a model of %d channels",
                         LATENT_CHANNELS);
    }
    if (settings->deep_cache > 1) {
        return error_set(error, "deep_cache: shortens the U-Net, and the exact denoiser has none; leave it out");
    }
    if (settings->prompt_weights || settings->clip_skip > 0) {
        return error_set(error,
                         "%s: changes how a network reads the prompt, and to the exact denoiser it only says "
                         "which latents are meant; leave it out",
                         settings->prompt_weights ? "prompt_weights" : "clip_skip");
    }
    return set_fits(model, settings, error) && window_fits(settings->exact, error);
}

// ---- what the prompts mean ------------------------------------------------------------------------------------------

static bool choose(LatentChoice *choice, const ExactDenoiser *exact, const char *prompt, Error *error) {
    *choice = (LatentChoice){NULL, exact->set.count};
    if (!*prompt) return true;
    if (!exact->match) {
        return error_set(error,
                         "prompt: of these latents nobody says what they show; use \"\", which means all of them");
    }
    size_t *index = malloc(exact->set.count * sizeof *index);
    if (!index) return error_set(error, "prompt: no memory for %zu numbers; close other programs", exact->set.count);
    choice->index = index;
    return exact->match(exact->matcher, prompt, index, &choice->count, error);
}

bool exact_choices_make(Prompts *prompts, const Settings *settings, Error *error) {
    bool guided = prompts->rows == 2;
    if (guided && !choose(&prompts->choices[0], settings->exact, settings->negative_prompt, error)) return false;
    return choose(&prompts->choices[guided], settings->exact, settings->prompt, error);
}

bool exact_choices_copy(Prompts *to, const Prompts *from, Error *error) {
    for (size_t row = 0; row < 2; row++) {
        LatentChoice choice = from->choices[row];
        if (choice.index) {
            size_t bytes = choice.count * sizeof *choice.index, *index = malloc(bytes);
            if (!index) return error_set(error, "copy: no memory for %zu bytes; close other programs", bytes);
            choice.index = memcpy(index, choice.index, bytes);
        }
        to->choices[row] = choice;
    }
    return true;
}

void exact_choices_free(Prompts *prompts) {
    for (size_t row = 0; row < 2; row++) free((size_t *)prompts->choices[row].index);
}

// ---- a step ---------------------------------------------------------------------------------------------------------

// Schedulers count in sigma or in alphas_cumprod, and between whole timesteps too: sigma^2 = (1 - a) / a is known of all.
// In double, since a float that is nearly 1 tells little of how far it is from there.
Tensor exact_ask(Run *run, const Prompts *prompts, size_t rows) {
    double sigma = scheduler_sigma(run->scheduler, run->next), a = 1 / (1 + sigma * sigma);
    Tensor latents = tensor_over(run->model_input, shape4(1, LATENT_CHANNELS, run->height, run->width));
    int threads_before = context_enter(&run->ctx);
    Tensor answer = exact_forward(&run->ctx, run->settings.exact, prompts->choices + prompts->rows - rows, rows,
                                  latents, a, run->scheduler->config.prediction_type);
    context_leave(threads_before);
    return answer;
}
