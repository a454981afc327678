// scheduler.h - how much of the predicted noise to take away at each step
//
// One interface for all schedulers, with diffusers' words: set_timesteps chooses at which noise levels the U-Net is
// asked, scale_model_input prepares what it sees, step goes from one level to the next. Each scheduler is one file that
// fills a SchedulerKind; schedulers.c lists them.
// Elsewhere: diffusers.schedulers. Read next: noise_schedule.h, then ddim.c.

#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum { PREDICTION_EPSILON, PREDICTION_V, PREDICTION_SAMPLE } PredictionType;
typedef enum { BETAS_LINEAR, BETAS_SCALED_LINEAR, BETAS_SQUAREDCOS_CAP_V2 } BetaSchedule;
typedef enum { SPACING_LEADING, SPACING_LINSPACE, SPACING_TRAILING } TimestepSpacing;
typedef enum { VARIANCE_FIXED_SMALL, VARIANCE_FIXED_SMALL_LOG, VARIANCE_FIXED_LARGE } VarianceType;
typedef enum { FINAL_SIGMA_ZERO, FINAL_SIGMA_MIN } FinalSigmas;

// The settings of scheduler_config.json, under their own names. Each kind has its own defaults, as its class has.
typedef struct SchedulerConfig {
    size_t num_train_timesteps;
    float beta_start, beta_end;
    BetaSchedule beta_schedule;
    float *trained_betas;  // [num_train_timesteps] or NULL; malloc'ed
    PredictionType prediction_type;
    TimestepSpacing timestep_spacing;
    size_t steps_offset;
    bool clip_sample;
    float clip_sample_range;
    bool set_alpha_to_one;
    bool rescale_betas_zero_snr;
    float eta;  // DDIM's; not in diffusers' file but an argument of its step
    VarianceType variance_type;
    bool use_karras_sigmas;
    FinalSigmas final_sigmas_type;
    bool lower_order_final, euler_at_final;
    size_t original_inference_steps;  // LCM's: how many steps the distilled model was taught to skip among
    float timestep_scaling;           // LCM's too
} SchedulerConfig;

typedef struct Scheduler Scheduler;

typedef struct SchedulerKind {
    const char *name;            // "ddim", as on the command line
    const char *class_name;      // "DDIMScheduler", as in scheduler_config.json
    const char *algorithm_type;  // for classes that are several schedulers by this setting, else NULL
    const char *about;           // one line for `sculpt schedulers`: when to use it
    const char *paper;           // "Song, Meng & Ermon 2020, arXiv 2010.02502"
    int order;                   // error falls with the step's length to this power
    int unet_calls_per_step;
    bool stochastic;           // draws fresh noise (at least with some setting)
    bool variance_preserving;  // true: latents are sqrt(a) x0 + sqrt(1-a) noise; false: x0 + sigma noise, larger by
                               // sqrt(1 + sigma^2)
    SchedulerConfig defaults;
    const char *const *settings;  // keys that the class knows beside those of all (betas, prediction_type); NULL ends
    // "key=value" that the class knows and of which only this value is offered, or "key=value|other|..", where the
    // others mean the same to the class; NULL ends
    const char *const *fixed_settings;

    // Fills timesteps (and sigmas), timestep_count, init_noise_sigma; forgets history. May be called again.
    bool (*set_timesteps)(Scheduler *s, size_t num_inference_steps, Error *error);
    // What the U-Net is shown at step k: [n] floats. out may be latents.
    void (*scale_model_input)(const Scheduler *s, size_t k, const float *latents, float *out, size_t n);
    // Whether step k needs fresh noise; the caller draws it, n normal numbers, from the run's generator.
    bool (*draws_noise)(const Scheduler *s, size_t k);
    // From step k's latents to the next ones. model_output: what the U-Net said (noise, v or sample, by
    // prediction_type). fresh_noise is NULL where draws_noise says no. All arrays [n]; prev_sample may be latents.
    void (*step)(Scheduler *s, size_t k, const float *latents, const float *model_output, const float *fresh_noise,
                 float *prev_sample, float *pred_original_sample, size_t n);
    // A clean sample with step k's amount of noise laid over it: where image to image begins, and what inpainting puts
    // back. out may be clean.
    void (*add_noise)(const Scheduler *s, size_t k, const float *clean, const float *noise, float *out, size_t n);
} SchedulerKind;

// What earlier steps left behind, history.h
enum { HISTORY_ROWS = 5 };
typedef struct History {
    size_t n;      // floats in a row; 0 before the first step
    size_t next;   // the step that it was noted for
    size_t known;  // how many steps lie behind it without a gap
    float *rows;   // [HISTORY_ROWS, n]
} History;

struct Scheduler {
    const SchedulerKind *kind;
    SchedulerConfig config;
    float *alphas_cumprod;  // [num_train_timesteps]: how much of the picture's variance is left at each timestep
    float final_alpha_cumprod;
    size_t num_inference_steps;  // as asked for
    size_t timestep_count;       // U-Net evaluations in the whole run
    float *timesteps;            // [timestep_count], falling; not always whole numbers
    float *sigmas;               // [timestep_count + 1] for those that count in sigma, else zeros
    float init_noise_sigma;      // what noise of variance 1 is multiplied by to be step 0's latents
    char note[256];              // what scheduler_open changed in the file's settings, a line for people; "" if nothing
    History history;
};

extern const SchedulerKind ddim_kind, ddpm_kind, euler_kind, euler_a_kind, dpmpp_2m_kind, dpmpp_2m_sde_kind, heun_kind,
    lms_kind, kdpm2_kind, pndm_kind, dpmpp_1s_kind, unipc_kind, lcm_kind;

size_t scheduler_kind_count(void);
const SchedulerKind *scheduler_kind_at(size_t index);
const SchedulerKind *scheduler_kind_find(const char *name);  // by name or class name; NULL if there is none
// The same, or by the path of one that scheduler_load has loaded (scheduler_file.h); the error lists those there are
const SchedulerKind *scheduler_kind_named(const char *name, Error *error);

// Reads scheduler_config.json in `folder` and makes the scheduler that it names, or `name` if not NULL, which then
// takes over the file's settings as diffusers' from_config does. steps_offset and clip_sample are set as
// StableDiffusionPipeline sets them on load (1, false). overrides: "key=value", laid over that; NULL when
// override_count is 0.
Scheduler *scheduler_open(const char *folder, const char *name, const char *const *overrides, size_t override_count,
                          Error *error);
// The same from the file's text; label stands for its path in messages.
Scheduler *scheduler_open_text(const char *label, const char *text, const char *name, const char *const *overrides,
                               size_t override_count, Error *error);

// With these settings; trained_betas is copied. Errors: numbers that no schedule can be made of.
Scheduler *scheduler_new(const SchedulerKind *kind, const SchedulerConfig *config, Error *error);
Scheduler *scheduler_copy(const Scheduler *scheduler);  // history included; NULL without memory
void scheduler_free(Scheduler *scheduler);

// The noise over the picture in step k's latents, whatever the kind counts in: sqrt((1 - a) / a)
float scheduler_sigma(const Scheduler *s, size_t k);

// Whether both take the same steps: kind, settings and number of steps.
bool scheduler_same(const Scheduler *a, const Scheduler *b);

// "key=value", as --scheduler-config has it: overrides a setting before scheduler_new. Errors list the keys and values.
bool scheduler_config_set(SchedulerConfig *config, const char *assignment, Error *error);

// Whether this kind has the setting of a "key=value"; the error lists those it has.
bool scheduler_kind_takes(const SchedulerKind *kind, const char *assignment, Error *error);

const char *prediction_type_name(PredictionType type);       // "epsilon", "v_prediction", "sample"
const char *timestep_spacing_name(TimestepSpacing spacing);  // "leading", "linspace", "trailing"

// All settings that the kind has but trained_betas as "key=value key=value ...", as scheduler_config_set takes them.
typedef struct SchedulerConfigText {
    char text[512];
} SchedulerConfigText;
SchedulerConfigText scheduler_config_text(const SchedulerKind *kind, const SchedulerConfig *config);
