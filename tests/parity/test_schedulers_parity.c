// test_schedulers_parity.c - single steps, noise schedules and settings of the schedulers beside diffusers'
// (tests/make_golden_schedulers.py)

#include "base/rng.h"
#include "parity/schedulers.h"
#include "schedulers/noise_schedule.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 4 };

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
    TEST(test_alphas_cumprod);
    TEST(test_folders);
    TEST(test_mistakes_show);
    return test_summary();
}
