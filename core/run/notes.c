// notes.c - what a run was asked for, as text
//
// Where: in a trace's metadata and a PNG's text chunks, so that each can tell how to make it again. Both want UTF-8.
// Elsewhere: the "parameters" that the web UIs write; safetensors' __metadata__.

#include "run/run.h"

#include "base/check.h"
#include "base/text.h"
#include "stages/tokenizer_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *note_text(const char *text) {
    TextBuffer utf8 = {0};
    size_t n = strlen(text), at = 0;
    text_append(&utf8, "", 0);
    while (at < n) {
        size_t valid = text_valid_bytes(text + at, n - at);
        text_append(&utf8, text + at, valid);
        at += valid;
        if (at == n) break;
        char escape[5];
        snprintf(escape, sizeof escape, "\\x%02x", (unsigned char)text[at++]);
        text_append(&utf8, escape, 4);
    }
    return utf8.data;
}

static void note(Run *run, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void note(Run *run, const char *key, const char *format, ...) {
    CHECK(run->metadata_count < RUN_METADATA_MAX, "no room for %s", key);
    char *value;
    va_list arguments;
    va_start(arguments, format);
    CHECK(vasprintf(&value, format, arguments) >= 0, "out of memory");
    va_end(arguments);
    run->metadata[run->metadata_count++] = (Metadata){key, note_text(value)};
    free(value);
}

// "conv2d=blas linear=blas ...", each as --kernel takes it
static void note_kernels(Run *run) {
    TextBuffer kernels = {0};
    for (size_t op = 0; op < OP_COUNT; op++) {
        const char *words[] = {op > 0 ? " " : "", op_name((Op)op), "=", run->ctx.kernels[op]->variant};
        for (size_t i = 0; i < 4; i++) text_append(&kernels, words[i], strlen(words[i]));
    }
    note(run, "kernels", "%s", kernels.data);
    free(kernels.data);
}

// "style.safetensors:0.7", each as --lora takes it, a line each
static void note_loras(Run *run) {
    const Model *model = run->model;
    TextBuffer loras = {0};
    for (size_t i = 0; i < model->lora_count; i++) {
        char weight[32];
        snprintf(weight, sizeof weight, ":%.7g", (double)model->loras[i].weight);
        const char *words[] = {i > 0 ? "\n" : "", model->loras[i].path, weight};
        for (size_t k = 0; k < 3; k++) text_append(&loras, words[k], strlen(words[k]));
    }
    note(run, "loras", "%s", loras.data);
    free(loras.data);
}

void run_note_settings(Run *run) {
    const Settings *s = &run->settings;
    for (size_t i = 0; i < run->metadata_count; i++) free((char *)run->metadata[i].value);
    run->metadata_count = 0;
    note(run, "prompt", "%s", s->prompt);
    note(run, "negative_prompt", "%s", s->negative_prompt);
    note(run, "model", "%s", run->model->path);
    if (run->model->vae_path) note(run, "vae", "%s", run->model->vae_path);
    if (run->model->lora_count > 0) note_loras(run);
    note(run, "scheduler", "%s", run->scheduler->kind->name);
    note(run, "num_inference_steps", "%zu", s->num_inference_steps);
    note(run, "guidance_scale", "%g", as_written(s->guidance_scale));
    if (s->guidance_rescale > 0) note(run, "guidance_rescale", "%g", as_written(s->guidance_rescale));
    if (s->guidance_high > 0) {
        note(run, "guidance_interval", "%g,%g", as_written(s->guidance_low), as_written(s->guidance_high));
    }
    if (s->deep_cache > 1) note(run, "deep_cache", "%zu", s->deep_cache);
    if (s->clip_skip > 0) note(run, "clip_skip", "%zu", s->clip_skip);
    if (s->prompt_weights) note(run, "prompt_weights", "true");
    if (s->exact) note(run, "exact", "%zu", s->exact->set.count);
    if (s->exact && s->exact->window > 0) note(run, "window", "%zu,%zu", s->exact->window, s->exact->reach);
    if (s->precision == BF16) note(run, "precision", "bf16");
    note(run, "seed", "%" PRIu64, s->seed);
    note(run, "width", "%zu", s->width);
    note(run, "height", "%zu", s->height);
    if (run->from_image) note(run, "strength", "%g", as_written(s->strength));
    note(run, "scheduler_config", "%s", scheduler_config_text(run->scheduler->kind, &run->scheduler->config).text);
    note_kernels(run);
    note(run, "version", "Sculpt %s", SCULPT_VERSION);
}
