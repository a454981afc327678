// options.h - the command line, read strictly
//
// A mistyped number that is quietly taken for another one makes a picture that nobody can explain, so everything here
// is either exactly right or an error. What the options mean stands in help.c.

#pragma once

#include "base/error.h"
#include "io/lora.h"
#include "ops/registry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum Command {
    COMMAND_DRAW,
    COMMAND_TOKENIZE,
    COMMAND_KERNELS,
    COMMAND_SCHEDULERS,
    COMMAND_INSPECT,
    COMMAND_BENCH,
    COMMAND_LAB
} Command;

typedef enum TraceAttention { TRACE_NO_ATTENTION, TRACE_ATTENTION, TRACE_ATTENTION_HEADS } TraceAttention;

enum { MAX_SCHEDULER_CONFIGS = 32, MAX_LORAS = 32 };

#define DEFAULT_WATTS 100.0f  // a desktop computer with all cores at work
#define DEFAULT_PRICE 0.30f   // dollars a kWh; households pay 0.15 to 0.40 in most countries

enum { DEFAULT_EXACT_COUNT = 4000 };

typedef struct Options {
    Command command;
    bool help, version;

    const char
        *text;  // the prompt of draw, the TEXT of tokenize, the PATH of inspect, the part to bench, the op of lab
    const char *file;   // lab's FILE.c; else NULL
    const char *model;  // NULL: not given
    LoraFile loras[MAX_LORAS];
    size_t lora_count;
    const char *negative_prompt;
    size_t num_inference_steps;  // 0: the model's own
    bool has_guidance;
    float guidance_scale, guidance_rescale;
    float guidance_low, guidance_high;  // high 0: everywhere
    size_t deep_cache;                  // 0: off
    size_t clip_skip;
    bool prompt_weights;
    const char *scheduler;  // NULL: the model's own
    const char *scheduler_configs[MAX_SCHEDULER_CONFIGS];
    size_t scheduler_config_count;
    bool has_seed;
    uint64_t seed;
    size_t width, height;  // 0: the model's own
    bool exact;
    const char *exact_folder;  // of latents; NULL: exact_count drawings
    size_t exact_count;
    size_t window, reach;  // window 0: the picture as a whole
    const char *init, *mask, *latents;
    float strength;                 // with a mask another default than without
    const char *vae, *preview_vae;  // NULL: the model's own; none
    const char *tokenizer;          // NULL: the model's own
    DType weights, precision;
    const char *output, *steps_dir, *trace;
    TraceAttention trace_attention;  // the mean over heads, or each head
    int threads;                     // 0: all
    const char *kernels[OP_COUNT];
    size_t kernel_count;
    bool json, quick, watch;
    float watts, price;                               // of the computer; of a kWh
    const char *arch;                                 // NULL: the model's own weights
    size_t latent_height, latent_width, batch, reps;  // 0: not given
} Options;

// Reads argv, options in any place. The first word that is no option chooses the command if it is one's name, else it
// is the prompt. The strings stay argv's, where that of --lora ends before its weight.
bool options_read(Options *options, int argc, char **argv, Error *error);

// "tokenize"
const char *command_name(Command command);
