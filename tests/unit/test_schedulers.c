// test_schedulers.c - the schedulers by themselves: well-known numbers, one road in two coordinates, and bad settings

#include "base/rng.h"
#include "io/file.h"
#include "schedulers/scheduler.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 64 };

// Stable Diffusion's settings, and then these ("key=value" up to a NULL)
static Scheduler *scheduler_with(const SchedulerKind *kind, size_t steps, const char *const *settings) {
    static const char *const usual[] = {"beta_start=0.00085", "beta_end=0.012",    "beta_schedule=scaled_linear",
                                        "steps_offset=1",     "clip_sample=false", NULL};
    SchedulerConfig config = kind->defaults;
    Error error = {0};
    for (size_t i = 0; usual[i]; i++) EXPECT(scheduler_config_set(&config, usual[i], &error), "%s", error.message);
    for (size_t i = 0; settings[i]; i++)
        EXPECT(scheduler_config_set(&config, settings[i], &error), "%s", error.message);
    Scheduler *s = scheduler_new(kind, &config, &error);
    EXPECT(s && kind->set_timesteps(s, steps, &error), "%s", error.message);
    return s;
}

static void expect_values(const char *what, const float *values, const float *wanted, size_t n, float tolerance) {
    for (size_t i = 0; i < n; i++) {
        EXPECT(fabsf(values[i] - wanted[i]) <= tolerance, "%s[%zu] is %g, not %g", what, i, (double)values[i],
               (double)wanted[i]);
    }
}

static void test_timesteps(void) {
    Scheduler *s = scheduler_with(&ddim_kind, 7, (const char *const[]){"timestep_spacing=leading", NULL});
    expect_values("ddim leading", s->timesteps, (float[]){853, 711, 569, 427, 285, 143, 1}, 7, 0);
    scheduler_free(s);

    s = scheduler_with(&euler_kind, 5, (const char *const[]){"timestep_spacing=leading", NULL});
    expect_values("euler leading", s->timesteps, (float[]){801, 601, 401, 201, 1}, 5, 0);
    expect_values("sigmas", s->sigmas, (float[]){5.1344f, 2.2929f, 1.1682f, .5741f, .0413f, 0}, 6, 5e-5f);
    EXPECT(fabsf(s->init_noise_sigma - 5.2309f) < 5e-5f, "init_noise_sigma is %g", (double)s->init_noise_sigma);
    scheduler_free(s);

    s = scheduler_with(&euler_kind, 5, (const char *const[]){"timestep_spacing=linspace", NULL});
    expect_values("euler linspace", s->timesteps, (float[]){999, 749.25f, 499.5f, 249.75f, 0}, 5, 0);
    expect_values("sigmas", s->sigmas, (float[]){14.6146f, 4.0861f, 1.6156f, .6952f, .0292f, 0}, 6, 5e-5f);
    EXPECT(fabsf(s->init_noise_sigma - 14.6146f) < 5e-5f, "init_noise_sigma is %g", (double)s->init_noise_sigma);
    scheduler_free(s);
}

// Every number of steps gives that many timesteps, falling, within what was trained.
static void test_every_number_of_steps(void) {
    static const char *const spacings[] = {"timestep_spacing=leading", "timestep_spacing=linspace",
                                           "timestep_spacing=trailing"};
    for (size_t j = 0; j < 3; j++) {
        Scheduler *s = scheduler_with(&ddim_kind, 1, (const char *const[]){spacings[j], NULL});
        for (size_t steps = 1; steps <= 999; steps++) {
            Error error = {0};
            EXPECT(ddim_kind.set_timesteps(s, steps, &error), "%s, %zu steps: %s", spacings[j], steps, error.message);
            bool falling = s->timesteps[0] < 1000 && s->timesteps[steps - 1] >= 0;
            for (size_t k = 1; k < steps; k++) falling = falling && s->timesteps[k] < s->timesteps[k - 1];
            EXPECT(s->timestep_count == steps && falling, "%s, %zu steps: %zu, from %g to %g", spacings[j], steps,
                   s->timestep_count, (double)s->timesteps[0], (double)s->timesteps[steps - 1]);
        }
        scheduler_free(s);
    }
}

// A U-Net that always sees the noise that is really there leads back to the picture, whatever the scheduler, unless it
// puts other noise there.
static void test_true_noise_leads_home(void) {
    float picture[N], noise[N], latents[N], x0[N];
    Rng rng;
    rng_seed(&rng, 1);
    rng_normal(&rng, picture, N);
    rng_normal(&rng, noise, N);
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        const SchedulerKind *kind = scheduler_kind_at(i);
        Scheduler *s =
            scheduler_with(kind, 10, (const char *const[]){"timestep_spacing=leading", "set_alpha_to_one=true", NULL});
        bool draws = kind->draws_noise(s, 0);
        kind->add_noise(s, 0, picture, noise, latents, N);
        for (size_t k = 0; k < s->timestep_count && !draws; k++) kind->step(s, k, latents, noise, NULL, latents, x0, N);
        double off = draws ? 0 : relative_max(latents, picture, N);
        EXPECT(off < 1e-4, "%s ends %.2g away from the picture", kind->name, off);
        EXPECT(draws || relative_max(x0, picture, N) < 1e-4, "%s predicts another picture", kind->name);
        scheduler_free(s);
    }
}

// Euler's latents over sqrt(1 + sigma^2) are DDIM's, as long as both stop at the same timesteps.
static void test_one_road(void) {
    const char *const settings[] = {"timestep_spacing=leading", "set_alpha_to_one=true", NULL};
    Scheduler *ddim = scheduler_with(&ddim_kind, 10, settings), *euler = scheduler_with(&euler_kind, 10, settings);
    float a[N], b[N], noise[N], x0[N], shown[N];
    Rng rng;
    rng_seed(&rng, 2);
    rng_normal(&rng, a, N);
    for (size_t i = 0; i < N; i++) b[i] = a[i] * euler->init_noise_sigma;
    for (size_t k = 0; k < 10; k++) {
        rng_normal(&rng, noise, N);
        euler_kind.scale_model_input(euler, k, b, shown, N);
        double off = relative_max(shown, a, N);
        EXPECT(off < 1e-5, "before step %zu the U-Net sees latents %.2g apart", k, off);
        ddim_kind.step(ddim, k, a, noise, NULL, a, x0, N);
        euler_kind.step(euler, k, b, noise, NULL, b, x0, N);
    }
    EXPECT(relative_max(b, a, N) < 1e-5, "they end %.2g apart", relative_max(b, a, N));
    scheduler_free(ddim);
    scheduler_free(euler);
}

static void test_copy(void) {
    Scheduler *s = scheduler_with(&euler_kind, 5, (const char *const[]){"timestep_spacing=trailing", NULL});
    Scheduler *copy = scheduler_copy(s), *other = scheduler_with(&euler_kind, 6, (const char *const[]){"eta=0", NULL});
    EXPECT(scheduler_same(s, copy), "a copy is not the same");
    EXPECT(!scheduler_same(s, other), "5 steps are the same as 6");
    EXPECT(copy->timesteps != s->timesteps && memcmp(copy->sigmas, s->sigmas, 6 * sizeof(float)) == 0, "sigmas differ");
    scheduler_free(s);
    EXPECT(copy->timesteps[4] >= 0, "the copy died with its original");
    scheduler_free(copy);
    scheduler_free(other);
}

// A copy made at any step ends in the same numbers as its original, whatever the scheduler remembers of earlier steps.
static void test_copy_at_every_step(void) {
    enum { STEPS = 7 };
    float noise[N], fresh[N], latents[N], other[N], x0[N];
    Rng rng;
    rng_seed(&rng, 3);
    rng_normal(&rng, noise, N);
    rng_normal(&rng, fresh, N);
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        const SchedulerKind *kind = scheduler_kind_at(i);
        size_t count = 1;
        for (size_t at = 0; at < count; at++) {
            Scheduler *s = scheduler_with(kind, STEPS, (const char *const[]){NULL}), *copy = NULL;
            count = s->timestep_count;
            memcpy(latents, noise, sizeof latents);
            for (size_t k = 0; k < count; k++) {
                if (k == at) {
                    copy = scheduler_copy(s);
                    memcpy(other, latents, sizeof other);
                }
                kind->step(s, k, latents, k % 2 ? noise : fresh, fresh, latents, x0, N);
            }
            scheduler_free(s);
            for (size_t k = at; copy && k < count; k++) {
                kind->step(copy, k, other, k % 2 ? noise : fresh, fresh, other, x0, N);
            }
            EXPECT(copy && memcmp(latents, other, sizeof latents) == 0, "%s, copied at step %zu, ends elsewhere",
                   kind->name, at);
            scheduler_free(copy);
        }
    }
}

// S steps are 2 S - 1 evaluations where each has two halves, and S + 1 of PNDM, which takes its first step twice.
static void test_evaluations(void) {
    static const size_t steps[] = {1, 2, 7};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        for (size_t j = 0; j < scheduler_kind_count(); j++) {
            const SchedulerKind *kind = scheduler_kind_at(j);
            size_t S = steps[i], wanted = kind->unet_calls_per_step == 2             ? 2 * S - 1
                                          : strcmp(kind->name, "pndm") == 0 && S > 1 ? S + 1
                                                                                     : S;
            Scheduler *s = scheduler_with(kind, S, (const char *const[]){NULL});
            EXPECT(s->timestep_count == wanted, "%s: %zu evaluations for %zu steps", kind->name, s->timestep_count, S);
            scheduler_free(s);
        }
    }
}

// ---- what comes from outside ----------------------------------------------------------------------------------------

static void expect_error(bool ok, const Error *error, const char *word) {
    EXPECT(!ok, "accepted, and \"%s\" should be refused", word);
    EXPECT(strstr(error->message, word), "the error is \"%s\" and doesn't say \"%s\"", error->message, word);
    EXPECT(!strchr(error->message, '\n'), "the error has more than one line: %s", error->message);
}

static void test_bad_steps(void) {
    static const struct {
        size_t steps;
        const char *word;
    } bad[] = {{0, "0 steps"}, {1001, "1 to 1000"}, {1000, "steps_offset"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        Scheduler *s = scheduler_with(&ddim_kind, 1, (const char *const[]){"timestep_spacing=leading", NULL});
        Error error = {0};
        expect_error(ddim_kind.set_timesteps(s, bad[i].steps, &error), &error, bad[i].word);
        scheduler_free(s);
    }
}

static void test_bad_assignments(void) {
    static const char *const bad[][2] = {
        {"timestep_spacing=middle", "leading, linspace, trailing"},
        {"prediction_type=", "epsilon, v_prediction, sample"},
        {"clip_sample=yes", "true or false"},
        {"steps_offset=-1", "whole number"},
        {"steps_offset=1x", "whole number"},
        {"num_train_timesteps=99999999999999999999", "whole number"},
        {"beta_start=nan", "a number"},
        {"eta=much", "a number"},
        {"use_exponential_sigmas=true", "no such setting"},
        {"variance_type=learned", "fixed_small, fixed_small_log, fixed_large"},
        {"final_sigmas_type=one", "zero, sigma_min"},
        {"eta", "key=value"},
        {"", "key=value"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SchedulerConfig config = ddim_kind.defaults;
        Error error = {0};
        expect_error(scheduler_config_set(&config, bad[i][0], &error), &error, bad[i][1]);
    }
}

// What a picture says of its scheduler makes the same scheduler again.
static void test_settings_as_text(void) {
    static const char *const settings[] = {"timestep_spacing=trailing",
                                           "prediction_type=v_prediction",
                                           "eta=0.7",
                                           "set_alpha_to_one=false",
                                           "steps_offset=3",
                                           NULL};
    Scheduler *s = scheduler_with(&ddim_kind, 9, settings);
    SchedulerConfigText text = scheduler_config_text(s->kind, &s->config);
    SchedulerConfig again = {0};
    char *rest = NULL;
    Error error = {0};
    for (char *word = strtok_r(text.text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        EXPECT(scheduler_config_set(&again, word, &error), "%s", error.message);
    }
    Scheduler *twin = scheduler_new(&ddim_kind, &again, &error);
    EXPECT(twin && ddim_kind.set_timesteps(twin, 9, &error) && scheduler_same(s, twin), "another scheduler: %s",
           error.message);
    scheduler_free(twin);
    scheduler_free(s);
}

static void test_bad_settings(void) {
    static const char *const bad[][2] = {{"eta=0.5", "draws no fresh noise"},
                                         {"beta_start=0", "between 0 and 1"},
                                         {"beta_end=1", "between 0 and 1"},
                                         {"num_train_timesteps=0", "1000 is usual"},
                                         {"eta=-1", "eta"},
                                         {"clip_sample_range=0", "clip_sample_range"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SchedulerConfig config = euler_kind.defaults;
        Error error = {0};
        EXPECT(scheduler_config_set(&config, bad[i][0], &error), "%s", error.message);
        Scheduler *s = scheduler_new(&euler_kind, &config, &error);
        expect_error(s != NULL, &error, bad[i][1]);
        scheduler_free(s);
    }

    SchedulerConfig config = ddim_kind.defaults;
    config.num_train_timesteps = 1;
    config.rescale_betas_zero_snr = true;
    Error error = {0};
    expect_error(scheduler_new(&ddim_kind, &config, &error) != NULL, &error, "num_train_timesteps is 1");
}

static void test_bad_files(void) {
    static const char *const bad[][3] = {
        {"{\"_class_name\": \"UnheardOfScheduler\"}", NULL, "--scheduler ddim"},
        {"{}", NULL, "--scheduler ddim"},
        {"{\"_class_name\": \"DDIMScheduler\"}", "dimm", "ddim, euler"},
        {"{\"_class_name\": \"DDIMScheduler\", \"thresholding\": true}", NULL, "thresholding"},
        {"{\"_class_name\": \"EulerDiscreteScheduler\", \"use_beta_sigmas\": true}", NULL, "use_beta_sigmas"},
        {"{\"_class_name\": \"EulerDiscreteScheduler\", \"timestep_type\": \"continuous\"}", NULL, "timestep_type"},
        {"{\"_class_name\": \"DDIMScheduler\", \"prediction_type\": \"flow\"}", NULL, "prediction_type"},
        {"{\"_class_name\": \"DDIMScheduler\", \"beta_schedule\": 3}", NULL, "beta_schedule"},
        {"{\"_class_name\": \"DDIMScheduler\", \"num_train_timesteps\": 100000000}", NULL, "num_train_timesteps"},
        {"{\"_class_name\": \"DDIMScheduler\", \"trained_betas\": [0.1, 0.2]}", NULL, "trained_betas"},
        {"{\"_class_name\": \"DDIMScheduler\", \"num_train_timesteps\": 1, \"trained_betas\": [2]}", NULL,
         "trained_betas"},
        {"{\"_class_name\": ", NULL, "scheduler_config.json"},
    };
    const char *folder = test_folder("schedulers");
    char *path = path_join(folder, "scheduler_config.json");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        FILE *file = fopen(path, "w");
        fputs(bad[i][0], file);
        fclose(file);
        Error error = {0};
        Scheduler *s = scheduler_open(folder, bad[i][1], NULL, 0, &error);
        expect_error(s != NULL, &error, bad[i][2]);
        scheduler_free(s);
    }
    free(path);

    Error error = {0};
    expect_error(scheduler_open("no/such/folder", NULL, NULL, 0, &error) != NULL, &error, "no/such/folder");
}

// A setting that another class can't do is nothing to the class that takes the file over.
static void test_settings_of_others(void) {
    const char *folder = test_folder("schedulers");
    char *path = path_join(folder, "scheduler_config.json");
    FILE *file = fopen(path, "w");
    fputs("{\"_class_name\": \"EulerDiscreteScheduler\", \"use_karras_sigmas\": true, \"beta_start\": 0.001}", file);
    fclose(file);
    Error error = {0};
    Scheduler *s = scheduler_open(folder, "ddim", (const char *const[]){"eta=0.25"}, 1, &error);
    EXPECT(s, "%s", error.message);
    if (s) {
        EXPECT(s->config.beta_start == 0.001f, "beta_start is %g", (double)s->config.beta_start);
        EXPECT(s->config.eta == 0.25f, "the override came to %g", (double)s->config.eta);
        EXPECT(s->note[0] == '\0', "a note where nothing was changed: %s", s->note);
    }
    scheduler_free(s);
    free(path);
}

// The note tells of what was mended on loading, and only as far as it still stands behind the overrides.
static void test_note(void) {
    static const struct {
        const char *overrides[2], *note;
    } cases[] = {{{"eta=0", "eta=0"}, "scheduler: steps_offset=1 and clip_sample=false, as"},
                 {{"steps_offset=7", "eta=0"}, "scheduler: clip_sample=false, as"},
                 {{"eta=0", "clip_sample=true"}, "scheduler: steps_offset=1, as"},
                 {{"steps_offset=0", "clip_sample=true"}, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Error error = {0};
        Scheduler *s = scheduler_open("tests/golden/schedulers/folders/old_ddim", NULL, cases[i].overrides, 2, &error);
        EXPECT(s, "%s", error.message);
        if (!s) continue;
        size_t length = strlen(cases[i].note);
        EXPECT(strncmp(s->note, cases[i].note, length) == 0 && (length > 0 || !s->note[0]), "%s and %s: \"%s\"",
               cases[i].overrides[0], cases[i].overrides[1], s->note);
        scheduler_free(s);
    }
}

// All noise fresh, from a timestep where nothing of the picture is left: what remains of the old noise is 0 and mustn't
// become the root of a number below.
static void test_fresh_noise_from_nothing(void) {
    SchedulerConfig config = ddim_kind.defaults;
    config.beta_schedule = BETAS_SCALED_LINEAR;
    config.beta_start = 0.00085f;
    config.beta_end = 0.012f;
    config.prediction_type = PREDICTION_V;
    config.timestep_spacing = SPACING_TRAILING;
    config.rescale_betas_zero_snr = true;
    config.eta = 1;
    Error error = {0};
    Scheduler *s = scheduler_new(&ddim_kind, &config, &error);
    EXPECT(s, "%s", error.message);
    for (size_t steps = 1; s && steps <= 100; steps++) {
        EXPECT(s->kind->set_timesteps(s, steps, &error), "%s", error.message);
        float latent = 0.5f, v = 0.25f, noise = -1, next, x0;
        s->kind->step(s, 0, &latent, &v, &noise, &next, &x0, 1);
        EXPECT(isfinite(next), "the first of %zu steps leads to %g", steps, (double)next);
    }
    scheduler_free(s);
}

int main(void) {
    TEST(test_timesteps);
    TEST(test_every_number_of_steps);
    TEST(test_true_noise_leads_home);
    TEST(test_one_road);
    TEST(test_copy);
    TEST(test_copy_at_every_step);
    TEST(test_evaluations);
    TEST(test_bad_steps);
    TEST(test_bad_assignments);
    TEST(test_settings_as_text);
    TEST(test_bad_settings);
    TEST(test_bad_files);
    TEST(test_settings_of_others);
    TEST(test_note);
    TEST(test_fresh_noise_from_nothing);
    return test_summary();
}
