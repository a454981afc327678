// commands.c - see commands.h

#include "command/commands.h"

#include "io/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int report_failure(const Error *error) {
    fprintf(stderr, "sculpt: %s\n", error->message);
    return EXIT_RUN_FAILED;
}

bool output_flush(Error *error) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return true;
    return error_set(error, "standard output: can't be written: %s; is the disk full?", strerror(errno));
}

DType matrix_type_asked(const Options *options) { return options->precision == BF16 ? BF16 : options->weights; }

ModelOptions model_options_asked(const Options *options) {
    return (ModelOptions){.tokenizer = options->tokenizer,
                          .matrix_type = matrix_type_asked(options),
                          .vae = options->vae,
                          .preview_vae = options->preview_vae,
                          .loras = options->loras,
                          .lora_count = options->lora_count};
}

Settings settings_asked(const Model *model, const Options *options) {
    Settings settings = settings_default(model);
    if (options->num_inference_steps) settings.num_inference_steps = options->num_inference_steps;
    if (options->has_guidance) settings.guidance_scale = options->guidance_scale;
    settings.guidance_low = options->guidance_low;
    settings.guidance_high = options->guidance_high;
    settings.deep_cache = options->deep_cache;
    settings.scheduler = options->scheduler;
    settings.scheduler_overrides = options->scheduler_configs;
    settings.scheduler_override_count = options->scheduler_config_count;
    if (options->width) settings.width = options->width;
    if (options->height) settings.height = options->height;
    memcpy(settings.kernels, options->kernels, sizeof settings.kernels);
    settings.kernel_count = options->kernel_count;
    settings.threads = options->threads;
    return settings;
}

char *model_folder(const Options *options) {
    return options->model ? strdup(options->model) : shipped_path("data/models/critters");
}
