// story.c - see story.h
//
// How much noise there is decides what a step is about (Ho, Jain & Abbeel 2020, section 4.3: large features appear
// first, details last): at sigma 1 noise and picture are equally strong.

#include "state/story.h"

#include "state/latent_maps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- numbers --------------------------------------------------------------------------------------------------------

StepFacts facts_of(const Branch *branch, size_t k) {
    StepFacts facts = {
        .timestep = NAN, .sigma = NAN, .alpha = NAN, .noise_rms = NAN, .guidance_rms = NAN, .moved = NAN};
    if (branch->sigmas && k <= branch->step_count) {
        facts.alpha = branch_alpha(branch, k);
        facts.sigma = k < branch->step_count ? branch->sigmas[k] : 0;
    }
    size_t done = branch_steps_done(branch);
    for (size_t i = 0; i <= k && i < done; i++) facts.calls_so_far += branch->trace->steps[i].noise_pred_text ? 2 : 1;
    if (k >= done) return facts;
    const TraceStep *step = &branch->trace->steps[k];
    size_t n = branch->trace->channels * branch->trace->height * branch->trace->width;
    facts.timestep = step->timestep;
    facts.seconds = step->seconds;
    facts.calls = step->noise_pred_text ? 2 : 1;
    facts.noise_rms = numbers_rms(branch_numbers(branch, k, PICTURE_NOISE), n);
    if (step->noise_pred_text) facts.guidance_rms = numbers_rms(branch_numbers(branch, k, PICTURE_GUIDANCE), n);
    if (k > 0) facts.moved = numbers_rms((StepNumbers){step->pred_original_sample, step[-1].pred_original_sample}, n);
    return facts;
}

const SchedulerKind *branch_scheduler(const Branch *branch, size_t k) {
    const Knobs *knobs = branch_knobs_at(branch, k);
    if (knobs->scheduler[0]) return scheduler_kind_find(knobs->scheduler);
    return branch->has_cost ? branch->cost.scheduler : NULL;
}

static const char *setting(const Branch *branch, size_t k, const char *key) {
    const char *config = branch_knobs_at(branch, k)->scheduler_config, *at = config;
    for (size_t length = strlen(key); (at = strstr(at, key)); at += length) {
        if ((at == config || at[-1] == ' ') && at[length] == '=') return at + length + 1;
    }
    return NULL;
}

bool branch_predicts_v(const Branch *branch, size_t k) {
    const char *type = setting(branch, k, "prediction_type");
    return type && strncmp(type, "v_prediction", strlen("v_prediction")) == 0;
}

// DDIM draws noise with an eta only; the last step of all of them ends at the picture, without.
static bool draws_noise(const Branch *branch, const SchedulerKind *scheduler, size_t k) {
    if (!scheduler || !scheduler->stochastic || k + 1 >= branch->step_count) return false;
    const char *eta = setting(branch, k, "eta");
    return strcmp(scheduler->name, "ddim") != 0 || (eta && atof(eta) > 0);
}

// ---- before there is a step, and after the last ---------------------------------------------------------------------

static void tell_waiting(const Branch *branch, char *text, size_t size) {
    switch (branch->state) {
    case BRANCH_WAITING: snprintf(text, size, "It waits for the runs before it."); break;
    case BRANCH_FAILED: snprintf(text, size, "It failed before this step: %.240s", branch->message); break;
    case BRANCH_CANCELLED: snprintf(text, size, "It was stopped before this step."); break;
    default: snprintf(text, size, "The prompt is read and the noise is drawn; the first step is on its way."); break;
    }
}

static void tell_finished(const Branch *branch, char *text, size_t size) {
    size_t n = branch->step_count;
    const Knobs *knobs = branch_knobs_at(branch, 0);
    bool text_to_image = !knobs->init && !knobs->init_path[0];
    int written = snprintf(text, size, "Done: %zu step%s from %s to this picture.", n, n == 1 ? "" : "s",
                           text_to_image ? "noise" : "the picture it began with");
    if (branch->left_at > 0)
        snprintf(text + written, size - (size_t)written, " The first %zu it shares with the run it left.",
                 branch->left_at);
}

// ---- a step ---------------------------------------------------------------------------------------------------------

static void tell_start_from_image(float sigma, char *text, size_t size) {
    if (sigma > 3)
        snprintf(text, size,
                 "Your picture, drowned in noise of sigma %.1f: little but its light and dark is left of it.", sigma);
    else if (sigma > 0.7f)
        snprintf(text, size,
                 "Your picture under noise of sigma %.1f: its large shapes show through, its details don't.", sigma);
    else
        snprintf(text, size, "Your picture under a little noise, sigma %.2f: only its details will change.", sigma);
}

static void tell_noise(const Branch *branch, size_t k, float sigma, char *text, size_t size) {
    const Knobs *knobs = branch_knobs_at(branch, 0);
    if (k == 0 && (knobs->init || knobs->init_path[0]))
        tell_start_from_image(sigma, text, size);
    else if (k == 0 && sigma < 1)
        snprintf(text, size,
                 "Nothing but noise, yet this schedule begins at sigma %.2f: the U-Net is told that it sees a nearly "
                 "clean picture.",
                 sigma);
    else if (branch->step_count == 1)
        snprintf(text, size,
                 "The only step: all noise, sigma %.1f, is to go at once, so the first guess is the picture.", sigma);
    else if (k == 0)
        snprintf(
            text, size,
            "Nothing but noise: sigma %.1f. The U-Net's first guess is a blur of everything the prompt could mean.",
            sigma);
    else if (k + 1 == branch->step_count)
        snprintf(text, size, "The last step: what is left of the noise, sigma %.2g, goes.", sigma);
    else if (sigma > 4)
        snprintf(text, size,
                 "Still almost only noise: sigma %.1f. Where large things go, light or dark, is decided now.", sigma);
    else if (sigma > 1)
        snprintf(text, size, "More noise than picture: sigma %.1f. Shapes settle, and what each thing is.", sigma);
    else if (sigma > 0.35f)
        snprintf(text, size, "More picture than noise: sigma %.2f. Edges and small parts take their form.", sigma);
    else
        snprintf(text, size, "Hardly any noise: sigma %.2f. Only fine detail still changes.", sigma);
}

// The second sentence: what else is worth knowing here, the rarest first.
static void tell_more(const Branch *branch, size_t k, const StepFacts *facts, char *text, size_t size) {
    const SchedulerKind *scheduler = branch_scheduler(branch, k);
    float scale = branch_knobs_at(branch, k)->guidance_scale;
    if (scheduler && scheduler->unet_calls_per_step == 2 && k % 2 == 1)
        snprintf(text, size, " %s asks twice a step: this is the second time, from where the first answer led.",
                 scheduler->name);
    else if (draws_noise(branch, scheduler, k))
        snprintf(text, size, " Then %s adds fresh noise.", scheduler->name);
    else if (isnan(facts->guidance_rms))
        snprintf(text, size, " No guidance: the U-Net is asked once, with the prompt.");
    else if (facts->noise_rms > 0)
        snprintf(text, size, " Guidance %.4g moves the predicted noise by about %.0f %%.", scale,
                 100 * scale * facts->guidance_rms / facts->noise_rms);
}

static void tell_turn(const Branch *branch, size_t k, char *text, size_t size) {
    for (size_t c = 1; c < branch->chapter_count; c++) {
        if (branch->chapters[c].from != k) continue;
        char difference[200];
        knobs_difference(&branch->chapters[c - 1].knobs, &branch->chapters[c].knobs, difference, sizeof difference);
        snprintf(text, size, "From here on: %s", difference);
    }
}

StepStory story_of(const Branch *branch, size_t k) {
    StepStory story = {0};
    char *text = story.sentence;
    size_t size = sizeof story.sentence;
    tell_turn(branch, k, story.turn, sizeof story.turn);
    if (branch->state == BRANCH_DONE && k >= branch->step_count) {
        tell_finished(branch, text, size);
        return story;
    }
    if (k >= branch_steps_done(branch)) {
        tell_waiting(branch, text, size);
        return story;
    }
    StepFacts facts = facts_of(branch, k);
    if (isnan(facts.sigma))
        snprintf(text, size, "Step %zu, at timestep %.0f. How much noise that is %s.", k, facts.timestep,
                 branch->continuable ? "is known once its model is open"
                                     : "isn't known, as the run can't be taken up again");
    else
        tell_noise(branch, k, facts.sigma, text, size);
    size_t written = strlen(text);
    tell_more(branch, k, &facts, text + written, size - written);
    return story;
}
