// bench_report.c - what was measured, for people and for programs

#include "command/bench.h"

#include "base/text.h"
#include "command/report.h"
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static double rate_of(const OpRecord *record) {
    return record->seconds > 0 ? (double)record->flops / record->seconds : 0;
}

static size_t resident_bytes(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (size_t)usage.ru_maxrss * 1024;
}

static int smaller_first(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(const Bench *bench) {
    double *sorted = malloc(bench->reps * sizeof *sorted);
    memcpy(sorted, bench->seconds, bench->reps * sizeof *sorted);
    qsort(sorted, bench->reps, sizeof *sorted, smaller_first);
    double middle = (sorted[bench->reps / 2] + sorted[(bench->reps - 1) / 2]) / 2;
    free(sorted);
    return middle;
}

static double overhead(const Bench *bench) { return bench->seconds[bench->best] - bench->ops_seconds; }

// ---- text -----------------------------------------------------------------------------------------------------------

void bench_print_titles(void) {
    printf("%-18s %-46s %-9s %6s %10s %9s %6s %9s\n", "op", "shape", "variant", "calls", "ms", "GFLOP/s", "% GEMM",
           "bytes");
}

void bench_print_row(const OpRecord *record, double gemm_rate) {
    printf("%-18s %-46s %-9s %6llu %10.3f ", op_name(record->op), op_shape_text(record).text, record->kernel->variant,
           (unsigned long long)record->calls, record->seconds * 1e3);
    if (record->flops > 0)
        printf("%9.1f %6.1f ", rate_of(record) / 1e9, 100 * rate_of(record) / gemm_rate);
    else
        printf("%9s %6s ", "-", "-");
    printf("%8sB\n", number_text((double)record->bytes).text);
}

// What took nearly all of the time, and the rest in a line
static void print_ops(const Bench *bench) {
    static const double NEARLY_ALL = 0.98;
    const Profile *profile = &bench->profile;
    double seconds = 0;
    size_t shown = 0;
    bench_print_titles();
    for (; shown < profile->count && seconds < NEARLY_ALL * bench->ops_seconds; shown++) {
        bench_print_row(&profile->records[shown], bench->gemm_rate);
        seconds += profile->records[shown].seconds;
    }
    if (shown < profile->count)
        printf("and %zu more rows, which --json lists: %.3f ms\n", profile->count - shown,
               (bench->ops_seconds - seconds) * 1e3);
}

static void print_text(const Bench *bench) {
    double best = bench->seconds[bench->best];
    printf("%s, %d thread%s\n", bench->subject, bench->threads, plural((size_t)bench->threads));
    printf("%sB of weights, %sB of activations, %sB the whole program at most\n\n",
           number_text((double)bench->weight_bytes).text, number_text((double)bench->activation_bytes).text,
           number_text((double)resident_bytes()).text);
    print_ops(bench);
    double rate = (double)bench->planned.flops / best;
    printf("\nbest of %zu: %.4g s (median %.4g s); %sFLOP, %.1f GFLOP/s, %.1f%% of the GEMM's %.1f\n", bench->reps,
           best, median(bench), number_text((double)bench->planned.flops).text, rate / 1e9,
           100 * rate / bench->gemm_rate, bench->gemm_rate / 1e9);
    printf("outside the ops: %.3f ms of it, %.2f us for each of %llu calls\n", overhead(bench) * 1e3,
           overhead(bench) * 1e6 / (double)bench->planned.calls, (unsigned long long)bench->planned.calls);
}

// ---- JSON -----------------------------------------------------------------------------------------------------------

json_t *bench_row_json(const OpRecord *record, double gemm_rate) {
    return json_pack("{s:s, s:s, s:s, s:I, s:f, s:I, s:I, s:f, s:f}", "op", op_name(record->op), "shape",
                     op_shape_text(record).text, "variant", record->kernel->variant, "calls", (json_int_t)record->calls,
                     "ms", record->seconds * 1e3, "flops", (json_int_t)record->flops, "bytes",
                     (json_int_t)record->bytes, "gflops_a_second", rate_of(record) / 1e9, "percent_of_gemm",
                     100 * rate_of(record) / gemm_rate);
}

static json_t *reps_json(const Bench *bench) {
    json_t *reps = json_array();
    for (size_t i = 0; i < bench->reps; i++) json_array_append_new(reps, json_real(bench->seconds[i]));
    return reps;
}

static json_t *bench_json(const Bench *bench) {
    json_t *ops = json_array();
    for (size_t i = 0; i < bench->profile.count; i++) {
        json_array_append_new(ops, bench_row_json(&bench->profile.records[i], bench->gemm_rate));
    }
    char *subject = note_text(bench->subject);
    json_t *object =
        json_pack("{s:s, s:s, s:i, s:s, s:f, s:f, s:o, s:f, s:f, s:f}", "part", bench->options->text, "subject",
                  subject, "threads", bench->threads, "precision", bench->options->precision == BF16 ? "bf16" : "f32",
                  "seconds", bench->seconds[bench->best], "seconds_median", median(bench), "reps", reps_json(bench),
                  "ops_seconds", bench->ops_seconds, "overhead_seconds_a_call",
                  overhead(bench) / (double)bench->planned.calls, "gemm_gflops_a_second", bench->gemm_rate / 1e9);
    free(subject);
    const Cost *planned = &bench->planned;
    json_object_set_new(object, "planned",
                        json_pack("{s:I, s:I, s:I}", "calls", (json_int_t)planned->calls, "flops",
                                  (json_int_t)planned->flops, "bytes", (json_int_t)planned->bytes));
    json_object_set_new(object, "memory",
                        json_pack("{s:I, s:I, s:I}", "weight_bytes", (json_int_t)bench->weight_bytes,
                                  "activation_bytes", (json_int_t)bench->activation_bytes, "resident_bytes",
                                  (json_int_t)resident_bytes()));
    json_object_set_new(object, "ops", ops);
    return object;
}

bool bench_print_json(json_t *object, Error *error) {
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (text) puts(text);
    free(text);
    json_decref(object);
    return text || error_set(error, "--json: not enough memory; close other programs");
}

bool bench_report(const Bench *bench, Error *error) {
    if (bench->options->json) return bench_print_json(bench_json(bench), error);
    print_text(bench);
    return true;
}
