// test_walks_parity.c - whole walks of the schedulers beside diffusers', at every spacing and many numbers of steps
// (tests/make_golden_schedulers.py)

#include "base/rng.h"
#include "parity/schedulers.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Stable Diffusion's settings, on which those of a line are laid
static const char BASE[] = "beta_start=0.00085 beta_end=0.012 beta_schedule=scaled_linear steps_offset=1 "
                           "clip_sample=false set_alpha_to_one=false";

// The rows of all walks, one behind the other, and how far they have been read
typedef struct Rows {
    const float *next;
    size_t width, left;
} Rows;

// KDPM2 asks at timesteps that it finds by a logarithm; that of torch differs in the last bit.
static const double TIMESTEP_BOUND = 1e-3;

// What the line "heun 1,2,3 KEY=VALUE ..." says of the walk with this many steps
static Scheduler *walk_of(const char *kind, const char *steps, const char *settings, Error *error) {
    char text[1024];
    snprintf(text, sizeof text, "%s %s %s %s", kind, steps, BASE, settings);
    return scheduler_from_text(text, error);
}

static double compare_walk_row(const char *what, size_t k, const float *row, size_t shown, double timestep,
                               const float *const parts[PARTS], double bound) {
    double worst = 0;
    EXPECT(fabs((double)row[0] - timestep) <= TIMESTEP_BOUND, "%s: timesteps[%zu] is %.9g, not %.9g", what, k, timestep,
           (double)row[0]);
    for (size_t part = 0; part < PARTS; part++) {
        double off = relative_max(parts[part], row + 1 + part * shown, shown);
        EXPECT(off <= bound, "%s, step %zu, %s: off by %.2g", what, k, PART_NAMES[part], off);
        worst = fmax(worst, off / bound);
    }
    return worst;
}

// One walk against the next rows: its largest error as a part of the bound
static double follow_walk(const char *what, Scheduler *s, Rows *rows, const float *noise, const float *start) {
    float latents[N], shown[N], noised[N], x0[N], fresh[N];
    size_t count = s->timestep_count, calls = (size_t)s->kind->unet_calls_per_step;
    double worst = 0;
    Rng rng;
    rng_seed(&rng, 7);
    for (size_t i = 0; i < N; i++) latents[i] = start[i] * s->init_noise_sigma;
    for (size_t k = 0; k < count; k++) {
        bool draws = s->kind->draws_noise(s, k);
        if (draws) rng_normal(&rng, fresh, N);
        s->kind->scale_model_input(s, k, latents, shown, N);
        s->kind->add_noise(s, k - k % calls, start, noise, noised, N);
        s->kind->step(s, k, latents, noise + k % 8 * N, draws ? fresh : NULL, latents, x0, N);
        if (count > 7 && k != 0 && k != count / 2 && k != count - 1) continue;
        EXPECT(rows->left > 0, "%s: no row for step %zu", what, k);
        if (rows->left == 0) return INFINITY;
        const float *const parts[] = {latents, x0, shown, noised};
        double off = compare_walk_row(what, k, rows->next, (rows->width - 1) / PARTS, (double)s->timesteps[k], parts,
                                      bound_for(s));
        worst = fmax(worst, off);
        rows->next += rows->width;
        rows->left--;
    }
    return worst;
}

// Calls `walked` for each number of steps in a line.
static void each_walk(const char *line, void *state,
                      void (*walked)(void *state, const char *kind, const char *steps, const char *settings)) {
    char copy[512], *rest = NULL, *rest_of_steps = NULL;
    snprintf(copy, sizeof copy, "%s", line);
    const char *kind = strtok_r(copy, " ", &rest);
    char *numbers = strtok_r(NULL, " ", &rest);
    for (char *steps = strtok_r(numbers, ",", &rest_of_steps); steps; steps = strtok_r(NULL, ",", &rest_of_steps)) {
        walked(state, kind, steps, rest);
    }
}

typedef struct Walks {
    Rows rows;
    const float *noise, *start;
    size_t count, of_kind[32];
    double worst[32];
} Walks;

static void walk_and_compare(void *state, const char *kind, const char *steps, const char *settings) {
    Walks *walks = state;
    Error error = {0};
    char what[512];
    snprintf(what, sizeof what, "%s %s %s", kind, steps, settings);
    Scheduler *s = walk_of(kind, steps, settings, &error);
    EXPECT(s, "%s: %s", what, error.message);
    if (!s) return;
    double off = follow_walk(what, s, &walks->rows, walks->noise, walks->start);
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        if (scheduler_kind_at(i) != s->kind) continue;
        walks->worst[i] = fmax(walks->worst[i], off);
        walks->of_kind[i]++;
    }
    walks->count++;
    scheduler_free(s);
}

static void test_walks(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open(GOLDEN "/golden.safetensors", &error),
                    *file = safetensors_open(GOLDEN "/walks.safetensors", &error);
    EXPECT(golden && file, "%s", error.message);
    if (golden && file) {
        const SafetensorsEntry *entry = safetensors_find(file, "rows");
        Walks walks = {.rows = {entry->data, entry->axis[1], entry->axis[0]},
                       .noise = floats_of(golden, "", "noise", NULL),
                       .start = floats_of(golden, "", "start", NULL)};
        for (size_t i = 0;; i++) {
            char name[16];
            snprintf(name, sizeof name, "%03zu", i);
            const char *line = safetensors_metadata(file, name);
            if (!line) break;
            each_walk(line, &walks, walk_and_compare);
        }
        EXPECT(walks.count > 250 && walks.rows.left == 0, "%zu walks, %zu rows left", walks.count, walks.rows.left);
        for (size_t i = 0; i < scheduler_kind_count(); i++) {
            const char *name = scheduler_kind_at(i)->name;
            EXPECT(walks.of_kind[i] > 0 || strcmp(name, "ddim") == 0, "no walk of %s", name);
            printf("parity  %-12s  %2zu walks: largest error %.2f of the bound\n", name, walks.of_kind[i],
                   walks.worst[i]);
        }
    }
    safetensors_close(golden);
    safetensors_close(file);
}

// What diffusers refuses or makes no finite numbers of is an error here, or ends in finite numbers.
typedef struct Outcomes {
    size_t refused, finite;
} Outcomes;

static void walk_unmatched(void *state, const char *kind, const char *steps, const char *settings) {
    Outcomes *outcomes = state;
    Error error = {0};
    Scheduler *s = walk_of(kind, steps, settings, &error);
    if (!s) {
        outcomes->refused++;
        EXPECT(strstr(error.message, "steps: "), "%s %s %s: %s", kind, steps, settings, error.message);
        return;
    }
    float latents[N], noise[N], x0[N];
    for (size_t i = 0; i < N; i++) latents[i] = noise[i] = sinf((float)i);
    for (size_t k = 0; k < s->timestep_count; k++) s->kind->step(s, k, latents, noise, noise, latents, x0, N);
    for (size_t i = 0; i < N; i++) {
        EXPECT(isfinite(latents[i]), "%s %s %s ends at %g", kind, steps, settings, (double)latents[i]);
    }
    outcomes->finite++;
    scheduler_free(s);
}

static void test_unmatched(void) {
    Error error = {0};
    SafetensorsFile *file = safetensors_open(GOLDEN "/walks.safetensors", &error);
    EXPECT(file, "%s", error.message);
    if (!file) return;
    Outcomes outcomes = {0};
    char *copy = strdup(safetensors_metadata(file, "unmatched")), *rest = NULL;
    for (char *line = strtok_r(copy, ";", &rest); line; line = strtok_r(NULL, ";", &rest)) {
        each_walk(line, &outcomes, walk_unmatched);
    }
    EXPECT(outcomes.refused == 4 && outcomes.finite == 10, "%zu are refused, and %zu end in finite numbers",
           outcomes.refused, outcomes.finite);
    free(copy);
    safetensors_close(file);
}

int main(void) {
    TEST(test_walks);
    TEST(test_unmatched);
    return test_summary();
}
