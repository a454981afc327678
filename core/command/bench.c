// bench.c - `sculpt bench PART`: how fast it is here, op by op
//
// Where: beside the library; it runs what `draw` runs and looks at the clock. Read next: bench_stage.c for what a pass
// is, ops/profile.h for how the ops are timed, tests/bench/compare.py for other programs beside it.

#include "command/bench.h"

#include "command/bench_arch.h"
#include "command/commands.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

// The parts, and which options make sense for each
static const struct {
    const char *name, *network;  // network: its folder in a model; NULL: not one alone
    bool model, arch, latent, batch, steps;
} PARTS[] = {
    {"unet", "unet", .model = true, .arch = true, .latent = true, .batch = true},
    {"vae", "vae", .model = true, .arch = true, .latent = true, .batch = true},
    {"text", "text_encoder", .model = true, .arch = true, .batch = true},
    {"run", NULL, .model = true, .latent = true, .steps = true},
    {"ops", .network = NULL},
};
enum { PART_COUNT = sizeof PARTS / sizeof *PARTS };

static bool options_fit(const Options *o, size_t part, Error *error) {
    const struct {
        const char *name;
        bool given, wanted;
    } ASKED[] = {
        {"model", o->model != NULL, PARTS[part].model},           {"arch", o->arch != NULL, PARTS[part].arch},
        {"latent", o->latent_height > 0, PARTS[part].latent},     {"batch", o->batch > 0, PARTS[part].batch},
        {"steps", o->num_inference_steps > 0, PARTS[part].steps}, {"weights", o->weights != F32, PARTS[part].model},
    };
    for (size_t i = 0; i < sizeof ASKED / sizeof *ASKED; i++) {
        if (ASKED[i].given && !ASKED[i].wanted)
            return error_set(error, "--%s: sculpt bench %s has no such option; leave it out", ASKED[i].name, o->text);
    }
    if (o->arch && o->model) {
        return error_set(error, "--arch and --model: both say whose shapes are measured; leave one out");
    }
    if (!o->arch || arch_known(o->arch)) return true;
    return error_set(error, "--arch %s: no such architecture; use sd15, or --model", o->arch);
}

static bool bench_part(const Options *o, size_t part, Error *error) {
    if (strcmp(o->text, "ops") == 0) return bench_ops(o, error);
    Bench bench = {.options = o,
                   .threads = o->threads ? o->threads : omp_get_max_threads(),
                   .reps = o->reps ? o->reps : DEFAULT_REPS};
    bool ok = PARTS[part].network ? bench_stage(&bench, PARTS[part].network, error) : bench_run(&bench, error);
    ok = ok && bench_report(&bench, error);
    free(bench.seconds);
    profile_free(&bench.profile);
    return ok;
}

int command_bench(const Options *options) {
    Error error = {0};
    size_t part = 0;
    while (part < PART_COUNT && strcmp(PARTS[part].name, options->text) != 0) part++;
    bool known = part < PART_COUNT ||
                 error_set(&error, "bench %.100s: no such part; use unet, vae, text, run or ops", options->text);
    if (!known || !options_fit(options, part, &error)) {
        report_failure(&error);
        return EXIT_BAD_COMMAND_LINE;
    }
    if (options->threads) omp_set_num_threads(options->threads);  // for loading; passes have their own
    bool ok = bench_part(options, part, &error) && output_flush(&error);
    return ok ? EXIT_SUCCESS : report_failure(&error);
}
