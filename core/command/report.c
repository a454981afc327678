// report.c - see report.h

#include "command/report.h"

#include "base/text.h"
#include "run/run.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

const char *plural(size_t count) { return count == 1 ? "" : "s"; }

// Of what only guidance's second pass would hear
static void report_unheard(const Settings *settings, const char *what) {
    fprintf(stderr, "guidance %g: %sthere is no second pass, so %s changes nothing\n", settings->guidance_scale,
            settings->guidance_scale > 1 ? "this U-Net was taught to guide by itself; " : "", what);
}

// What is left out, and in how many steps; together with what they would take, the steps' sum tells what that saves.
static void report_shortcuts(const Settings *settings, const RunCost *cost, bool guided) {
    if (settings->guidance_high > 0 && !guided) report_unheard(settings, "guidance-interval");
    if (settings->guidance_high > 0 && guided) {
        fprintf(stderr, "guidance-interval %g,%g: %zu of %zu steps are guided; sigma falls from %.3g to %.3g\n",
                settings->guidance_low, settings->guidance_high, cost->timestep_count - cost->unguided_steps,
                cost->timestep_count, cost->first_sigma, cost->last_sigma);
    }
    if (settings->deep_cache > 1) {
        fprintf(stderr, "deep-cache %zu: %zu of %zu steps take deep features over from an earlier one\n",
                settings->deep_cache, cost->shallow_steps, cost->timestep_count);
    }
    if (cost->steps.flops < cost->timestep_count * cost->step.flops) {
        fprintf(stderr, "steps: %sFLOP together, %.0f%% of what they take with nothing left out\n",
                number_text((double)cost->steps.flops).text,
                100 * (double)cost->steps.flops / (double)(cost->timestep_count * cost->step.flops));
    }
}

static void report_exact(const ExactDenoiser *exact) {
    fprintf(stderr, "exact: the U-Net isn't asked; the answer is a weighted mean of %zu latents", exact->set.count);
    if (exact->window > 0) {
        fprintf(stderr, ", seen through windows of %zu x %zu up to %zu away", exact->window, exact->window,
                exact->reach);
    }
    fprintf(stderr, "\n");
}

void report_cost(const Model *model, const Settings *settings, const RunCost *cost, size_t decodes, size_t previews) {
    bool guided = settings_guided(model, settings);
    uint64_t all = cost->text.flops + cost->encodes * cost->encode.flops + cost->steps.flops +
                   decodes * cost->decode.flops + previews * cost->preview.flops;
    fprintf(stderr, "%s: %s parameters. %zu x %zu, %s, guidance %g, seed %llu%s\n", model->path,
            number_text((double)cost->parameters).text, settings->width, settings->height, cost->scheduler->name,
            settings->guidance_scale, (unsigned long long)settings->seed,
            settings->precision == BF16 ? ", precision bf16" : "");
    if (*model_note(model)) fprintf(stderr, "%s: %s\n", model->path, model_note(model));
    for (size_t i = 0; i < model->lora_count; i++) {
        const MergedLora *lora = &model->loras[i];
        fprintf(stderr, "lora %s: weight %g, %zu layer%s changed\n", lora->path, lora->weight, lora->layers,
                plural(lora->layers));
    }
    if (*cost->scheduler_note) fprintf(stderr, "%s\n", cost->scheduler_note);
    if (*settings->negative_prompt && !guided) report_unheard(settings, "the negative prompt");
    if (settings->guidance_rescale > 0 && !guided) report_unheard(settings, "guidance-rescale");
    report_shortcuts(settings, cost, guided);
    if (settings->init) {
        fprintf(stderr, "strength %g: begins %zu before the end of %zu steps\n", settings->strength,
                cost->timestep_count, settings->num_inference_steps);
    }
    if (settings->exact) report_exact(settings->exact);
    if (settings->mask) {
        fprintf(stderr, "mask: %s\n",
                model_inpaints(model) ? "the U-Net sees it, and the picture without what is painted anew"
                                      : "the U-Net knows of none, so what is kept is put back after every step");
    }
    size_t answers = settings->exact ? cost->exact_answers : cost->unet_calls;
    fprintf(stderr, "%zu step%s of %sFLOP (%zu %s%s) and %zu decode%s of %sFLOP", cost->timestep_count,
            plural(cost->timestep_count), number_text((double)cost->step.flops).text, answers,
            settings->exact ? "answer" : "U-Net call", plural(answers), decodes, plural(decodes),
            number_text((double)cost->decode.flops).text);
    if (previews > 0) {
        fprintf(stderr, " and %zu preview%s of %sFLOP", previews, plural(previews),
                number_text((double)cost->preview.flops).text);
    }
    fprintf(stderr, ": %sFLOP in all; ", number_text((double)all).text);
    fprintf(stderr, "memory %sB weights + %sB activations + %sB kept from step to step\n",
            number_text((double)cost->weight_bytes).text, number_text((double)cost->activation_bytes).text,
            number_text((double)cost->kept_bytes).text);
}

void report_times(const Run *run, double first_step, size_t decodes, size_t previews) {
    RunTimes times = run_times(run);
    size_t steps = run_steps_done(run);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr, "loading %.2f s, text %.2f s, ", run_model(run)->load_seconds, times.text);
    if (times.encode > 0) fprintf(stderr, "encoding %.2f s, ", times.encode);
    fprintf(stderr, "first step after %.2f s, ", first_step);
    fprintf(stderr, "%zu step%s %.2f s (%.3g s each), %zu decode%s %.2f s", steps, plural(steps), times.steps,
            steps ? times.steps / (double)steps : 0.0, decodes, plural(decodes), times.decode);
    if (previews > 0) fprintf(stderr, ", %zu preview%s %.2f s", previews, plural(previews), times.preview);
    fprintf(stderr, "; ");
    fprintf(stderr, "peak memory: %sB activations, %sB the whole program\n",
            number_text((double)run_peak_activation_bytes(run)).text, number_text((double)usage.ru_maxrss * 1024).text);
}

// Text from outside on one line: control characters as ?, and only its beginning when it is long.
static void print_beginning(const char *text) {
    enum { MOST = 240 };  // bytes
    size_t n = strnlen(text, MOST + 1);
    bool cut = n > MOST;
    while (cut && n > 0 && text[n - 1] != ' ') n--;
    if (cut && n == 0) n = text_whole(text, MOST);
    for (size_t i = 0; i < n; i++) fputc((unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i], stderr);
    if (cut) fprintf(stderr, "... (%zu characters in all)", text_characters(text));
}

void report_lost_words(const Run *run) {
    static const char *const NAMES[] = {"negative prompt", "prompt"};
    for (int row = 0; row < 2; row++) {
        const TokenIds *tokens = run_tokens(run, row);
        if (!tokens || !*tokens->lost) continue;
        fprintf(stderr, "%s: only %zu tokens fit, so the model never sees \"", NAMES[row], tokens->length);
        print_beginning(tokens->lost);
        fprintf(stderr, "\"\n");
    }
}
