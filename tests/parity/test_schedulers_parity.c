// test_schedulers_parity.c - every step of every scheduler against diffusers' (tests/make_golden_schedulers.py)

#include "base/rng.h"
#include "io/safetensors.h"
#include "schedulers/noise_schedule.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN "tests/golden/schedulers"

enum { N = 16, SHOWN = 4, PARTS = 4 };
static const double BOUND = 1e-5;

// A walk goes on from its own latents, so what a step rounds differently stays: over 999 steps that adds up. And
// rescale_betas_zero_snr takes differences of square roots that torch's vector library rounds differently on different
// machines (up to 4e-6 of an alpha); with these betas a walk is as exact as torch is with itself.
// UniPC's weights are differences of differences of exponentials, (e^-h - 1) / -h - 1 and on, of which few digits are
// left where a step is as short as h = 0.004: over 999 steps diffusers in float is 1.3e-4 away from itself in double.
static const double BOUND_LONG = 3e-5, BOUND_ZERO_SNR = 1e-4, BOUND_LONG_UNIPC = 2e-4;

static double bound_for(const Scheduler *s) {
    if (s->kind == &unipc_kind && s->timestep_count > 100) return BOUND_LONG_UNIPC;
    if (s->config.rescale_betas_zero_snr) return BOUND_ZERO_SNR;
    return s->timestep_count > 100 ? BOUND_LONG : BOUND;
}
static const char *const PART_NAMES[PARTS] = {"prev_sample", "pred_original_sample", "scale_model_input", "add_noise"};

static const float *floats_of(const SafetensorsFile *golden, const char *prefix, const char *name, size_t *rows) {
    char full_name[128];
    snprintf(full_name, sizeof full_name, "%s%s", prefix, name);
    const SafetensorsEntry *entry = safetensors_find(golden, full_name);
    if (rows && entry) *rows = entry->axis[0];
    return entry ? entry->data : NULL;
}

// "euler 20 key=value key=value ..." -> a scheduler, its timesteps set
static Scheduler *scheduler_from_text(const char *text, Error *error) {
    char *copy = strdup(text), *rest = NULL;
    const SchedulerKind *kind = scheduler_kind_find(strtok_r(copy, " ", &rest));
    size_t steps = (size_t)atoi(strtok_r(NULL, " ", &rest));
    SchedulerConfig config = kind->defaults;
    bool ok = true;
    for (char *word; (word = strtok_r(NULL, " ", &rest));) ok = ok && scheduler_config_set(&config, word, error);
    free(copy);
    Scheduler *scheduler = ok ? scheduler_new(kind, &config, error) : NULL;
    if (!scheduler || kind->set_timesteps(scheduler, steps, error)) return scheduler;
    scheduler_free(scheduler);
    return NULL;
}

// What a case went through, and how far off it was
typedef struct Walk {
    const char *name, *what;
    const float *rows;
    size_t row_count;
    double bound, worst;  // worst as a part of the bound
} Walk;

static void compare_row(Walk *walk, size_t row, const float *const parts[PARTS]) {
    for (size_t part = 0; part < PARTS && row < walk->row_count; part++) {
        double off = relative_max(parts[part], walk->rows + (row * PARTS + part) * SHOWN, SHOWN);
        EXPECT(off <= walk->bound, "case %s (%s), row %zu, %s: off by %.2g", walk->name, walk->what, row,
               PART_NAMES[part], off);
        walk->worst = fmax(walk->worst, off / walk->bound);
    }
}

static void follow(Walk *walk, Scheduler *s, const float *noise, const float *start) {
    float latents[N], shown[N], noised[N], x0[N], fresh[N];
    size_t steps = s->timestep_count, stride = steps / 7 > 1 ? steps / 7 : 1, row = 0;
    Rng rng;
    walk->bound = bound_for(s);
    rng_seed(&rng, 7);
    for (size_t i = 0; i < N; i++) latents[i] = start[i] * s->init_noise_sigma;
    for (size_t k = 0; k < steps; k++) {
        bool draws = s->kind->draws_noise(s, k);
        if (draws) rng_normal(&rng, fresh, N);
        s->kind->scale_model_input(s, k, latents, shown, N);
        s->kind->add_noise(s, k, start, noise, noised, N);
        s->kind->step(s, k, latents, noise + k % 8 * N, draws ? fresh : NULL, latents, x0, N);
        if (k % stride == 0 || k == steps - 1)
            compare_row(walk, row++, (const float *const[]){latents, x0, shown, noised});
    }
    EXPECT(row == walk->row_count, "case %s: %zu rows, and the golden has %zu", walk->name, row, walk->row_count);
}

static void compare_timesteps(const SafetensorsFile *golden, const Walk *walk, const Scheduler *s) {
    size_t count;
    const float *timesteps = floats_of(golden, walk->name, ".timesteps", &count);
    if (!timesteps) return;
    EXPECT(count == s->timestep_count, "case %s: %zu timesteps, not %zu", walk->name, s->timestep_count, count);
    for (size_t k = 0; k < s->timestep_count && k < count; k++) {
        EXPECT(timesteps[k] == s->timesteps[k], "case %s (%s): timesteps[%zu] is %.9g, not %.9g", walk->name,
               walk->what, k, (double)s->timesteps[k], (double)timesteps[k]);
    }
}

static void test_steps(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open(GOLDEN "/golden.safetensors", &error);
    EXPECT(golden, "%s", error.message);
    if (!golden) return;
    const float *noise = floats_of(golden, "", "noise", NULL), *start = floats_of(golden, "", "start", NULL);

    double worst[2] = {0};
    size_t count = 0;
    for (;; count++) {
        char name[16];
        snprintf(name, sizeof name, "%03zu", count);
        Walk walk = {.name = name, .what = safetensors_metadata(golden, name)};
        if (!walk.what) break;
        walk.rows = floats_of(golden, name, ".rows", &walk.row_count);
        Scheduler *s = scheduler_from_text(walk.what, &error);
        EXPECT(s, "case %s (%s): %s", name, walk.what, error.message);
        if (!s) continue;
        compare_timesteps(golden, &walk, s);
        follow(&walk, s, noise, start);
        double *of_kind = &worst[s->kind == &euler_kind];
        *of_kind = fmax(*of_kind, walk.worst);
        scheduler_free(s);
    }
    EXPECT(count > 100, "only %zu cases", count);
    printf("parity  ddim   every step of %zu cases: largest error %.2f of the bound (%.0e a step)\n", count, worst[0],
           BOUND);
    printf("parity  euler  every step of %zu cases: largest error %.2f of the bound (%.0e a step)\n", count, worst[1],
           BOUND);
    safetensors_close(golden);
}

// ---- the other schedulers: walks.safetensors ------------------------------------------------------------------------

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

// ---- noise schedules ------------------------------------------------------------------------------------------------

static void test_alphas_cumprod(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open(GOLDEN "/golden.safetensors", &error);
    EXPECT(golden, "%s", error.message);
    if (!golden) return;
    static const char *const names[] = {"alphas_cumprod.sd", "alphas_cumprod.linear", "alphas_cumprod.cosine",
                                        "alphas_cumprod.zero_snr"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[512];
        size_t n = 0;
        snprintf(text, sizeof text, "ddim 1 %s", safetensors_metadata(golden, names[i]));
        Scheduler *s = scheduler_from_text(text, &error);
        EXPECT(s, "%s: %s", names[i], error.message);
        if (!s) continue;
        const float *reference = floats_of(golden, "", names[i], &n);
        double off = relative_max(s->alphas_cumprod, reference, n);
        EXPECT(n == s->config.num_train_timesteps && off <= (s->config.rescale_betas_zero_snr ? 1e-6 : 1e-7),
               "%s is off by %.2g", names[i], off);
        // the smallest ones count most: the noise of the first step is divided by their root
        off = relative_max(s->alphas_cumprod + n - 10, reference + n - 10, 10);
        EXPECT(off <= (s->config.rescale_betas_zero_snr ? 1e-5 : 1e-7), "the end of %s is off by %.2g", names[i], off);
        scheduler_free(s);
    }
    Scheduler *s = scheduler_open(GOLDEN "/folders/trained", NULL, NULL, 0, &error);
    EXPECT(s, "%s", error.message);
    if (s) {
        double off = relative_max(s->alphas_cumprod, floats_of(golden, "alphas_cumprod.", "trained_betas", NULL), 8);
        EXPECT(off <= 1e-7, "trained_betas are off by %.2g", off);
    }
    scheduler_free(s);
    safetensors_close(golden);
}

// ---- scheduler_config.json as the pipeline and from_config take it --------------------------------------------------

// Each "key=value" of text must be a setting that changes nothing when it is set once more. (diffusers keeps settings
// that a class doesn't know, for the next one to take over; they change nothing.)
static void expect_settings(const Scheduler *s, const char *text, const char *what) {
    char *copy = strdup(text), *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        SchedulerConfig again = s->config;
        Error error = {0};
        if (!scheduler_kind_takes(s->kind, word, &error)) continue;
        EXPECT(scheduler_config_set(&again, word, &error), "%s", error.message);
        EXPECT(memcmp(&again, &s->config, sizeof again) == 0, "%s: diffusers has %s and we don't", what, word);
    }
    free(copy);
}

static void test_folders(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open(GOLDEN "/golden.safetensors", &error);
    EXPECT(golden, "%s", error.message);
    if (!golden) return;
    static const char *const folders[] = {"sd15", "old_ddim", "old_pndm", "sd21", "trained"};
    static const char *const names[] = {NULL, "ddim", "euler"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
            char key[128], folder[128];
            snprintf(key, sizeof key, "open.%s %s", folders[i], names[j] ? names[j] : "-");
            snprintf(folder, sizeof folder, "%s/folders/%s", GOLDEN, folders[i]);
            const char *wanted = safetensors_metadata(golden, key);
            Error why = {0};
            Scheduler *s = scheduler_open(folder, names[j], NULL, 0, &why);
            EXPECT((s != NULL) == (wanted != NULL), "%s: %s", key, why.message);
            if (s && wanted) expect_settings(s, wanted, key);
            scheduler_free(s);
        }
    }
    safetensors_close(golden);
}

// ---- the test can fail ----------------------------------------------------------------------------------------------

// The same walk with one thing wrong must be far outside the bound.
static double error_with(const char *right, const char *wrong, bool forget_init_noise_sigma, size_t shift) {
    Error error = {0};
    Scheduler *a = scheduler_from_text(right, &error), *b = scheduler_from_text(wrong, &error);
    if (!a || !b) return 0;
    float x[N], y[N], noise[N], x0[N];
    for (size_t i = 0; i < N; i++) {
        noise[i] = sinf((float)i);
        x[i] = cosf((float)i) * a->init_noise_sigma;
        y[i] = cosf((float)i) * (forget_init_noise_sigma ? 1 : b->init_noise_sigma);
    }
    for (size_t k = 0; k < a->timestep_count; k++) {
        size_t other = k + shift < b->timestep_count ? k + shift : k;
        a->kind->step(a, k, x, noise, NULL, x, x0, N);
        b->kind->step(b, other, y, noise, NULL, y, x0, N);
    }
    scheduler_free(a);
    scheduler_free(b);
    return relative_max(y, x, N);
}

static void test_mistakes_show(void) {
    static const char *const ddim = "ddim 20 beta_schedule=scaled_linear clip_sample=false steps_offset=1";
    static const char *const euler = "euler 20 beta_schedule=scaled_linear";
    double off = error_with(ddim, ddim, false, 0);
    EXPECT(off == 0, "the same walk twice differs by %.2g", off);
    off = error_with(ddim, ddim, false, 1);
    EXPECT(off > 100 * BOUND, "a timestep too far only shows as %.2g", off);
    off = error_with(ddim, "ddim 20 beta_schedule=scaled_linear clip_sample=false", false, 0);
    EXPECT(off > 100 * BOUND, "a forgotten steps_offset only shows as %.2g", off);
    off = error_with(ddim, "ddim 20 beta_schedule=linear clip_sample=false steps_offset=1", false, 0);
    EXPECT(off > 100 * BOUND, "other betas only show as %.2g", off);
    off = error_with(euler, euler, true, 0);
    EXPECT(off > 100 * BOUND, "a forgotten init_noise_sigma only shows as %.2g", off);
}

int main(void) {
    TEST(test_steps);
    TEST(test_walks);
    TEST(test_unmatched);
    TEST(test_alphas_cumprod);
    TEST(test_folders);
    TEST(test_mistakes_show);
    return test_summary();
}
