// bench.h - what `sculpt bench` measures, and how
//
//     bench.c          the command: which part, with which options        bench_measure.c   passes, and the GEMM's rate
//     bench_stage.c    U-Net, VAE, text encoder, alone                     bench_ops.c       kernel against kernel
//     bench_run.c      prompt to pixels                                    bench_report.c    all of it, as text and JSON

#pragma once

#include "command/options.h"
#include "ops/op_cases.h"
#include "sculpt.h"

#include <jansson.h>

enum { DEFAULT_REPS = 5 };

typedef struct Bench {
    const Options *options;
    char subject[300];  // "unet of data/models/critters, 1 x 16 x 16 latents"
    int threads;
    size_t weight_bytes, activation_bytes;
    Cost planned;  // of a pass

    size_t reps, best;   // seconds[best] is the least
    double *seconds;     // [reps], of each pass
    double gemm_rate;    // FLOP a second of OpenBLAS's sgemm just before and after the best one
    Profile profile;     // of the best one, its calls put together
    double ops_seconds;  // of these together; what is left of seconds[best] passed outside the ops
} Bench;

// ---- measuring ------------------------------------------------------------------------------------------------------

// One pass of the subject, which tells profile of its ops.
typedef bool BenchPass(void *subject, Profile *profile, Error *error);

// One pass to warm up, then bench->reps of them, each with the GEMM's rate before and after. Fills the second half.
bool bench_measure(Bench *bench, BenchPass *pass, void *subject, Error *error);

// FLOP a second of the product of two matrices, 1024 x 1024 each, by OpenBLAS: what f32 arithmetic reaches here and now.
// An op with a higher rate needs fewer multiplications than its definition (Winograd), or narrower numbers.
double gemm_rate(int threads);  // 0: as many as there are

// The fastest of the calls that fit into a moment. ctx has a profile.
OpRecord bench_fastest(Context *ctx, const OpCase *c, const OpInputs *inputs);

// ---- what is measured -----------------------------------------------------------------------------------------------

bool bench_stage(Bench *bench, const char *part, Error *error);  // "unet", "vae", "text_encoder"
bool bench_run(Bench *bench, Error *error);
bool bench_ops(const Options *options, Error *error);  // prints as well

// ---- reporting ------------------------------------------------------------------------------------------------------

bool bench_report(const Bench *bench, Error *error);

// The line above a table of ops, and a row of it; gemm_rate: FLOP a second
void bench_print_titles(void);
void bench_print_row(const OpRecord *record, double gemm_rate);
json_t *bench_row_json(const OpRecord *record, double gemm_rate);
bool bench_print_json(json_t *object, Error *error);  // on one line; object is given back
