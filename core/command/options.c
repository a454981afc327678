// options.c - see options.h. One row of OPTIONS for each option, one line of option_apply to say what it sets;
// option_values.c reads what is given with it.

#include "command/options.h"

#include "base/text.h"
#include "command/option_values.h"
#include "ops/kernel_file.h"
#include "schedulers/scheduler_file.h"
#include "sculpt.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const COMMAND_NAMES[] = {"draw", "tokenize", "kernels", "schedulers", "inspect", "bench", "lab"};
enum { COMMAND_COUNT = sizeof COMMAND_NAMES / sizeof *COMMAND_NAMES };

const char *command_name(Command command) { return COMMAND_NAMES[command]; }

// ---- what there is --------------------------------------------------------------------------------------------------

enum {
    DRAW = 1 << COMMAND_DRAW,
    TOKENIZE = 1 << COMMAND_TOKENIZE,
    KERNELS = 1 << COMMAND_KERNELS,
    SCHEDULERS = 1 << COMMAND_SCHEDULERS,
    INSPECT = 1 << COMMAND_INSPECT,
    BENCH = 1 << COMMAND_BENCH,
    LAB = 1 << COMMAND_LAB,
    ALL_COMMANDS = DRAW | TOKENIZE | KERNELS | SCHEDULERS | INSPECT | BENCH | LAB,
};

// Options without a short form are told apart by numbers that are no letters.
enum {
    SCHEDULER = 256,
    SCHEDULER_CONFIG,
    SEED,
    RNG,
    GUIDANCE_RESCALE,
    GUIDANCE_INTERVAL,
    DEEP_CACHE,
    CLIP_SKIP,
    PROMPT_WEIGHTS,
    INIT,
    MASK,
    STRENGTH,
    LATENTS,
    EXACT,
    EXACT_DATA,
    WINDOW,
    VAE,
    PREVIEW_VAE,
    TOKENIZER,
    WEIGHTS,
    PRECISION,
    LORA,
    STEPS_DIR,
    TRACE,
    ATTENTION,
    THREADS,
    KERNEL,
    JSON,
    WATTS,
    PRICE,
    ARCH,
    LATENT,
    BATCH,
    REPS,
    QUICK,
    WATCH,
    VERSION
};

typedef struct OptionRow {
    const char *name;
    int id;           // the short form's letter, or one of the numbers above
    int takes_value;  // false, true, or optional_argument: if one is given, then behind a "="
    int commands;     // which commands know it
    bool repeats;     // may be given more than once
} OptionRow;

static const OptionRow OPTIONS[] = {
    {"model", 'm', true, DRAW | TOKENIZE | SCHEDULERS | BENCH | LAB, false},
    {"lora", LORA, true, DRAW, true},
    {"negative", 'n', true, DRAW, false},
    {"steps", 's', true, DRAW | INSPECT | BENCH | LAB, false},
    {"guidance", 'g', true, DRAW | INSPECT, false},
    {"guidance-rescale", GUIDANCE_RESCALE, true, DRAW, false},
    {"guidance-interval", GUIDANCE_INTERVAL, true, DRAW | INSPECT, false},
    {"deep-cache", DEEP_CACHE, true, DRAW | INSPECT, false},
    {"prompt-weights", PROMPT_WEIGHTS, false, DRAW | TOKENIZE, false},
    {"clip-skip", CLIP_SKIP, true, DRAW, false},
    {"scheduler", SCHEDULER, true, DRAW | INSPECT, false},
    {"scheduler-config", SCHEDULER_CONFIG, true, DRAW | INSPECT, true},
    {"seed", SEED, true, DRAW | LAB, false},
    {"rng", RNG, true, DRAW, false},
    {"width", 'W', true, DRAW | INSPECT, false},
    {"height", 'H', true, DRAW | INSPECT, false},
    {"init", INIT, true, DRAW, false},
    {"mask", MASK, true, DRAW, false},
    {"strength", STRENGTH, true, DRAW, false},
    {"latents", LATENTS, true, DRAW, false},
    {"exact", EXACT, false, DRAW, false},
    {"exact-data", EXACT_DATA, true, DRAW, false},
    {"window", WINDOW, true, DRAW, false},
    {"vae", VAE, true, DRAW | INSPECT, false},
    {"preview-vae", PREVIEW_VAE, true, DRAW, false},
    {"tokenizer", TOKENIZER, true, DRAW | TOKENIZE | INSPECT, false},
    {"weights", WEIGHTS, true, DRAW | INSPECT | BENCH, false},
    {"precision", PRECISION, true, DRAW | INSPECT | BENCH, false},
    {"output", 'o', true, DRAW | LAB, false},
    {"steps-dir", STEPS_DIR, true, DRAW, false},
    {"trace", TRACE, true, DRAW, false},
    {"trace-attention", ATTENTION, optional_argument, DRAW, false},
    {"threads", THREADS, true, DRAW | INSPECT | BENCH | LAB, false},
    {"kernel", KERNEL, true, DRAW | INSPECT | BENCH | LAB, true},
    {"json", JSON, false, TOKENIZE | INSPECT | BENCH, false},
    {"watts", WATTS, true, INSPECT, false},
    {"price", PRICE, true, INSPECT, false},
    {"arch", ARCH, true, BENCH, false},
    {"latent", LATENT, true, BENCH, false},
    {"batch", BATCH, true, BENCH, false},
    {"reps", REPS, true, BENCH, false},
    {"quick", QUICK, false, LAB, false},
    {"watch", WATCH, false, LAB, false},
    {"help", 'h', false, ALL_COMMANDS, true},
    {"version", VERSION, false, ALL_COMMANDS, true},
};
enum { OPTION_COUNT = sizeof OPTIONS / sizeof *OPTIONS };

static const OptionRow *option_find(int id) {
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (OPTIONS[i].id == id) return &OPTIONS[i];
    }
    return NULL;
}

// ---- what they set --------------------------------------------------------------------------------------------------

static bool option_apply(Options *o, const OptionRow *row, char *value, Error *error) {
    enum { MAX_STEPS = 100000, MAX_THREADS = 1024, MAX_CLIP_SKIP = 256, MAX_BATCH = 64, MAX_REPS = 1000 };
    size_t threads;
    switch (row->id) {
    case 'm': o->model = value; return true;
    case LORA:
        if (o->lora_count == MAX_LORAS) {
            return error_set(error, "--lora: given more than %d times; leave some out", MAX_LORAS);
        }
        return value_lora(row->name, value, &o->loras[o->lora_count++], error);
    case 'n': o->negative_prompt = value; return true;
    case 's': return value_size(row->name, value, 1, MAX_STEPS, &o->num_inference_steps, error);
    case 'g': return o->has_guidance = value_number(row->name, value, -1000, 1000, &o->guidance_scale, error);
    case GUIDANCE_RESCALE: return value_number(row->name, value, 0, 1, &o->guidance_rescale, error);
    case GUIDANCE_INTERVAL: return value_interval(row->name, value, &o->guidance_low, &o->guidance_high, error);
    case DEEP_CACHE: return value_size(row->name, value, 1, MAX_STEPS, &o->deep_cache, error);
    case PROMPT_WEIGHTS: o->prompt_weights = true; return true;
    case CLIP_SKIP: return value_size(row->name, value, 0, MAX_CLIP_SKIP, &o->clip_skip, error);
    case SCHEDULER: o->scheduler = value; return true;
    case SCHEDULER_CONFIG:
        if (o->scheduler_config_count == MAX_SCHEDULER_CONFIGS) {
            return error_set(error, "--scheduler-config: given more than %d times; leave some out",
                             MAX_SCHEDULER_CONFIGS);
        }
        o->scheduler_configs[o->scheduler_config_count++] = value;
        return true;
    case SEED: return o->has_seed = value_whole(row->name, value, 0, UINT64_MAX, &o->seed, error);
    case RNG: return value_rng(value, error);
    case 'W': return value_size(row->name, value, 1, LARGEST_SIDE, &o->width, error);
    case 'H': return value_size(row->name, value, 1, LARGEST_SIDE, &o->height, error);
    case INIT: o->init = value; return true;
    case MASK: o->mask = value; return true;
    case STRENGTH: return value_number(row->name, value, 0, 1, &o->strength, error);
    case LATENTS: o->latents = value; return true;
    case EXACT: o->exact = true; return true;
    case EXACT_DATA: return value_exact_data(row->name, value, o, error);
    case WINDOW: return value_window(row->name, value, o, error);
    case VAE: o->vae = value; return true;
    case PREVIEW_VAE: o->preview_vae = value; return true;
    case TOKENIZER: o->tokenizer = value; return true;
    case WEIGHTS: return value_weights(value, &o->weights, error);
    case PRECISION: return value_precision(value, &o->precision, error);
    case 'o': o->output = value; return value_file_name(row->name, value, ".png", error);
    case STEPS_DIR: o->steps_dir = value; return true;
    case TRACE: o->trace = value; return value_file_name(row->name, value, ".safetensors", error);
    case ATTENTION: return value_attention(value, &o->trace_attention, error);
    case THREADS:
        if (!value_size(row->name, value, 1, MAX_THREADS, &threads, error)) return false;
        o->threads = (int)threads;
        return true;
    case KERNEL:
        if (o->kernel_count == OP_COUNT)
            return error_set(error, "--kernel: given more often than there are ops; leave some out");
        o->kernels[o->kernel_count++] = value;
        return true;
    case JSON: o->json = true; return true;
    case WATTS: return value_number(row->name, value, 1, 1e5f, &o->watts, error);
    case ARCH: o->arch = value; return true;
    case LATENT: return value_latent(row->name, value, &o->latent_height, &o->latent_width, error);
    case BATCH: return value_size(row->name, value, 1, MAX_BATCH, &o->batch, error);
    case REPS: return value_size(row->name, value, 1, MAX_REPS, &o->reps, error);
    case PRICE: return value_number(row->name, value, 0.001f, 1000, &o->price, error);
    case QUICK: o->quick = true; return true;
    case WATCH: o->watch = true; return true;
    case 'h': o->help = true; return true;
    default: o->version = true; return true;
    }
}

// ---- a word that isn't an option ------------------------------------------------------------------------------------

static bool unknown_option(const char *word, Error *error) {
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    const char *nearest = NULL;
    size_t least = 4;  // farther than this and it is another word
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        size_t distance = edit_distance(name + strspn(name, "-"), OPTIONS[i].name);
        if (distance < least && distance < strlen(OPTIONS[i].name)) {
            least = distance;
            nearest = OPTIONS[i].name;
        }
    }
    if (nearest) return error_set(error, "%s: no such option; did you mean --%s?", name, nearest);
    return error_set(error, "%s: no such option; sculpt --help lists those there are", name);
}

// ---- the whole line -------------------------------------------------------------------------------------------------

// Turns OPTIONS into what getopt_long wants: "+"-less, so that options may follow the prompt; ":" first, so that a
// missing value is told apart from an unknown option.
static void getopt_tables(char short_options[3 * OPTION_COUNT], struct option long_options[OPTION_COUNT + 1]) {
    char *s = short_options;
    *s++ = ':';
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        long_options[i] = (struct option){OPTIONS[i].name, OPTIONS[i].takes_value, NULL, OPTIONS[i].id};
        if (OPTIONS[i].id > 255) continue;
        *s++ = (char)OPTIONS[i].id;
        if (OPTIONS[i].takes_value) *s++ = ':';
    }
    *s = '\0';
    long_options[OPTION_COUNT] = (struct option){0};
}

// Reads all options; given[] says which there were. getopt_long would take the beginning of a name for the name, until
// a later option begins alike; here it is an error. The words that are no options are then argv[optind] and after.
static bool read_options(Options *options, int argc, char **argv, bool given[OPTION_COUNT], Error *error) {
    char short_options[3 * OPTION_COUNT];
    struct option long_options[OPTION_COUNT + 1];
    getopt_tables(short_options, long_options);
    opterr = 0;
    int id;
    while ((id = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
        const char *word = argv[optind - 1];
        char letter[3] = {'-', (char)optopt, '\0'};
        if (id == ':') return error_set(error, "%s: a value is missing; see sculpt --help", word);
        if (id == '?' && option_find(optopt)) return error_set(error, "%s: takes no value; leave it out", word);
        if (id == '?') return unknown_option(optopt ? letter : word, error);

        const OptionRow *row = option_find(id);
        if (row->takes_value && optarg == word) word = argv[optind - 2];
        bool long_form = strncmp(word, "--", 2) == 0;
        if (long_form && strcspn(word + 2, "=") != strlen(row->name))
            return unknown_option(word, error);  // a beginning
        if (given[row - OPTIONS] && !row->repeats)
            return error_set(error, "--%s: given twice; leave one out", row->name);
        given[row - OPTIONS] = true;
        if (!option_apply(options, row, optarg, error)) return false;
    }
    return true;
}

static bool read_words(Options *options, int count, char **words, Error *error) {
    bool named = false;
    for (size_t c = 0; c < COMMAND_COUNT && count > 0; c++) {
        if (strcmp(words[0], COMMAND_NAMES[c]) == 0) {
            options->command = (Command)c;
            named = true;
        }
    }
    if (named) words++, count--;
    if (options->help || options->version) return true;

    // What the word behind each command is, and an example; NULL: none is wanted
    static const char *const WORDS[COMMAND_COUNT][2] = {
        [COMMAND_DRAW] = {"text", "sculpt \"a red cat wearing a crown\""},
        [COMMAND_TOKENIZE] = {"text", "sculpt tokenize \"a red cat\""},
        [COMMAND_INSPECT] = {"path", "sculpt inspect data/models/critters"},
        [COMMAND_BENCH] = {"part", "sculpt bench unet"},
        [COMMAND_LAB] = {"op", "sculpt lab conv2d mine.c"},
    };
    const char *what = WORDS[options->command][0], *example = WORDS[options->command][1];
    if (!what && count > 0) {
        return error_set(error, "%s: sculpt %s takes no text; leave it out", words[0], command_name(options->command));
    }
    if (what && count == 0) {
        return error_set(error, "%s: the %s is missing; try %s, or sculpt --help", command_name(options->command), what,
                         example);
    }
    if (options->command == COMMAND_LAB && count > 1) {
        options->text = words[0];
        options->file = words[1];
        words++, count--;
    }
    if (count > 1) {
        return error_set(error, "\"%s\": a second %s behind \"%s\"; put one of several words in quotes", words[1], what,
                         words[0]);
    }
    if (!options->file) options->text = what ? words[0] : NULL;
    if (options->command != COMMAND_LAB || options->file) return true;
    return error_set(error,
                     "lab %s: the file is missing; try sculpt lab %s lessons/lab/%s.c, which is where yours may begin",
                     options->text, options->text, options->text);
}

// Whether a scheduler can be made with these settings. What the model's file says isn't known yet, so they are laid over
// a class's own: the one that was named, which must know them, or else DDIM.
static bool scheduler_possible(const Options *o, Error *error) {
    if (o->scheduler && !scheduler_load(o->scheduler, error)) return false;
    const SchedulerKind *kind = o->scheduler ? scheduler_kind_named(o->scheduler, error) : &ddim_kind;
    if (!kind) return false;
    SchedulerConfig config = kind->defaults;
    for (size_t i = 0; i < o->scheduler_config_count; i++) {
        if (!scheduler_config_set(&config, o->scheduler_configs[i], error)) return false;
        if (o->scheduler && !scheduler_kind_takes(kind, o->scheduler_configs[i], error)) return false;
    }
    Scheduler *scheduler = scheduler_new(kind, &config, error);
    bool possible = scheduler != NULL;
    scheduler_free(scheduler);
    return possible;
}

static bool kernels_known(const Options *o, Error *error) {
    Context chooser;
    context_open_planning(&chooser, NULL);
    bool ok = true;
    for (size_t i = 0; ok && i < o->kernel_count; i++)
        ok = kernel_load(o->kernels[i], error) && context_choose_kernel(&chooser, o->kernels[i], error);
    context_close(&chooser);
    return ok;
}

// What says something about --exact is of no use without it, and with it what changes the networks that read and paint.
static bool exact_possible(const Options *o, const bool given[OPTION_COUNT], Error *error) {
    static const int about_it[] = {EXACT_DATA, WINDOW},
                     of_networks[] = {LORA, DEEP_CACHE, PROMPT_WEIGHTS, CLIP_SKIP, ATTENTION};
    for (size_t i = 0; !o->exact && i < sizeof about_it / sizeof *about_it; i++) {
        const OptionRow *row = option_find(about_it[i]);
        if (given[row - OPTIONS]) {
            return error_set(error, "--%s: says how the exact denoiser looks, and it isn't asked; add --exact",
                             row->name);
        }
    }
    for (size_t i = 0; o->exact && i < sizeof of_networks / sizeof *of_networks; i++) {
        const OptionRow *row = option_find(of_networks[i]);
        if (given[row - OPTIONS]) {
            return error_set(error, "--%s: is about the networks that --exact does without; leave one out", row->name);
        }
    }
    return true;
}

bool options_read(Options *options, int argc, char **argv, Error *error) {
    *options = (Options){.negative_prompt = "",
                         .exact_count = DEFAULT_EXACT_COUNT,
                         .strength = -1,
                         .output = NULL,
                         .watts = DEFAULT_WATTS,
                         .price = DEFAULT_PRICE};
    bool given[OPTION_COUNT] = {0};
    if (!read_options(options, argc, argv, given, error)) return false;
    if (!read_words(options, argc - optind, argv + optind, error)) return false;

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (given[i] && !(OPTIONS[i].commands & 1 << options->command)) {
            return error_set(error, "--%s: sculpt %s has no such option; leave it out", OPTIONS[i].name,
                             command_name(options->command));
        }
        if (given[i] && OPTIONS[i].id == WEIGHTS && options->precision == BF16) {
            return error_set(error, "--weights: --precision bf16 keeps the weights as bf16; leave one out");
        }
        if (given[i] && OPTIONS[i].id == STRENGTH && !options->init) {
            return error_set(
                error, "--strength: says how much of --init is painted over, and there is none; add --init IMAGE.png");
        }
    }
    if (!exact_possible(options, given, error)) return false;
    if (options->preview_vae && !options->steps_dir) {
        return error_set(error,
                         "--preview-vae: decodes the pictures of --steps-dir, and there is none; add --steps-dir DIR");
    }
    if (options->trace_attention != TRACE_NO_ATTENTION && !options->trace) {
        return error_set(error, "--trace-attention: puts maps into the file of --trace, and there is none; add --trace "
                                "FILE.safetensors");
    }
    if (options->init && options->latents) {
        return error_set(error, "--init and --latents: both say where the run starts; leave one out");
    }
    if (options->mask && !options->init) {
        return error_set(error, "--mask: says what of --init is painted anew, and there is none; add --init IMAGE.png");
    }
    if (!options->output) options->output = options->command == COMMAND_LAB ? "lab.png" : "sculpt.png";
    if (options->strength < 0) options->strength = options->mask ? DEFAULT_INPAINT_STRENGTH : DEFAULT_STRENGTH;
    // Names and settings that no model has are refused before one is opened.
    return scheduler_possible(options, error) && kernels_known(options, error);
}
