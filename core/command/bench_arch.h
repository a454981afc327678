// bench_arch.h - the configs of published models, to be filled with random weights

#pragma once

#include <stdbool.h>

bool arch_known(const char *name);          // sd15
const char *arch_config(const char *part);  // the text of its config.json; part: "unet", "vae" or "text_encoder"
