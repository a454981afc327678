// run.h - what a run holds between two steps; for the files that make up the pipeline, not for its users
//
//     model.c      the five parts, opened                    settings.c   are these settings possible at all?
//     cost.c       what will it take? planned, not guessed   start.c      noise, or a noisy picture
//     prompts.c    text to embeddings                        inpaint.c    only a part of a picture is painted anew
//     pipeline.c   begin, step, look inside                  decode.c     latents to a picture: finish
//     copy.c       copy and change                           preview.c    latents to a small picture, nearly free
//     trace.c      all that happened, in memory              trace_file.c and as a file
//     attention.c  who looked at what, as maps               recorder.c   takes them from a run
//     replay.c     a step whose answer is known already      ask.c        another question about the same latents
//     notes.c      the settings as text                      deletion.c   where does a word act? ask without it
//     recipe.c     what a picture was made from, as text     family.c     which Stable Diffusion it is, for people
//     shortcuts.c  what a step may leave out            exact.c    the training set asked instead of the U-Net

#pragma once

#include "sculpt.h"

typedef struct Prompts {
    TokenIds tokens[2];          // [0] the negative prompt, [1] the prompt
    float *embeddings;           // [rows, length, width]
    size_t rows, length, width;  // rows: 2 with guidance, else 1, the prompt's
    TextMemory text;             // what the U-Net's layers make of the embeddings; nothing where it isn't asked
    LatentChoice choices[2];     // [rows]: the latents that each prompt means to the exact denoiser, if that is asked
} Prompts;

typedef struct Inpaint {
    float *memory;                 // all of these; NULL in a run that paints everywhere
    float *mask;                   // [height, width]: 1 where to paint, 0 where to keep
    float *image_latents, *noise;  // [n] each: the picture, and what lies over it; read by blending
    float *masked_image_latents;   // [n]: the picture with the part to paint grey; read by a U-Net of INPAINT_CHANNELS
} Inpaint;

// What a step asks of the U-Net
typedef struct StepWork {
    size_t rows;   // 2: both halves of guidance; 1: the prompt alone
    bool shallow;  // with deep features taken over from an earlier step
} StepWork;

typedef struct DeepAge {
    size_t
        calls;  // of the U-Net that these deep features have served, the one that made them counted; 0: there are none
    size_t rows;  // the last so many are known
} DeepAge;

typedef struct DeepCache {
    float *features;  // of shape [prompts' rows, C0, height, width]; NULL in a run without
    Shape shape;
    DeepAge age;
} DeepCache;

enum { RUN_METADATA_MAX = 24 };

struct Run {
    const Model *model;
    // Its strings are the run's own; init, mask, latents, kernels, overrides, observers have been used up
    Settings settings;
    Context ctx;
    atomic_bool stop;
    Scheduler *scheduler;
    Rng rng;
    Prompts prompts;
    Inpaint inpaint;
    DeepCache deep;

    size_t height, width, n;  // latents are [4, height, width], n numbers
    size_t input_n;           // model_input is [rows, in_channels, height, width]: numbers in a row, n or more
    size_t next;              // the scheduler's step that comes next
    size_t done;              // steps taken
    bool from_image;          // image to image

    bool has_latent_rgb;                       // fitted at the first preview
    float latent_rgb[LATENT_CHANNELS + 1][3];  // rgb (0..1) = latents times this, plus the last row

    float *memory;                   // all of these: [n], model_input [2, input_n], model_output [2, n]
    size_t memory_count;             // numbers in it
    float *latents, *other_latents;  // as they are now, and as they were before the last step; swapped at each
    float *model_input, *model_output, *noise_pred, *pred_original_sample, *fresh_noise;

    StepRecord last;  // valid if done > 0
    RunTimes times;
    Metadata metadata[RUN_METADATA_MAX];  // values malloc'ed
    size_t metadata_count;
};

// settings.c
bool settings_check(const Model *model, const Settings *settings, Error *error);
// What only matters at the start: init, mask, latents, strength
bool settings_check_start(const Model *model, const Settings *settings, Error *error);
// Whether the U-Net is asked about both prompts: with guidance_scale above 1, unless it was taught to guide by itself.
bool settings_guided(const Model *model, const Settings *settings);
// The scheduler that the settings ask for, its timesteps set
Scheduler *settings_scheduler(const Model *model, const Settings *settings, Error *error);
// Where in the schedule a run begins: 0, or further on for image to image. False if nothing would be left to do.
bool settings_first_step(const Settings *settings, const Scheduler *scheduler, size_t *first, Error *error);
bool settings_kernels(const Settings *settings, const Kernel *kernels[OP_COUNT], Error *error);
bool settings_own_strings(Settings *settings, Error *error);  // replaces strings by copies, forgets what is used up
void settings_free_strings(Settings *settings);

// notes.c
void run_note_settings(Run *run);  // fills metadata
// The text as UTF-8, malloc'ed: bytes that aren't, which a file's name may have, become "\xff".
char *note_text(const char *text);

// cost.c
typedef struct RunShape {
    size_t rows, height, width;  // rows: pictures that go through the U-Net at once; latents' height and width
    bool has_init, deep_cache;
    size_t clip_skip;
    const ExactDenoiser *exact;   // asked in place of the U-Net; NULL: the U-Net is
    LatentChoice choices[2];      // [rows]: its latents that the prompts mean, or all of them
    AttentionObserver attention;  // what it wants to see takes memory too; {0}: nobody asks
    void *listener;
} RunShape;
RunShape cost_shape(const Model *model, const Settings *settings);  // of a run that begins with them
// Runs all stages in planning contexts; fills the stages' costs and activation_bytes, the peak over them.
void cost_plan(const Model *model, const Kernel *const kernels[OP_COUNT], RunShape shape, RunCost *cost);
// Refuses what can't fit: bytes wanted against settings->memory_limit, or what the machine has free.
bool cost_fits(const Settings *settings, size_t activation_bytes, Error *error);

// shortcuts.c
// What step k is to do. rows: the prompts'
StepWork step_work(const Settings *settings, const Scheduler *scheduler, size_t k, size_t rows, DeepAge age);
DeepAge deep_age_after(DeepAge age, StepWork work);
// Memory for them, if the settings want any; rows: the prompts'
bool deep_cache_take(DeepCache *deep, const Run *run, const Settings *settings, size_t rows, Error *error);
Tensor deep_cache_rows(const DeepCache *deep, size_t rows);  // the last so many; absent in a run without
bool deep_cache_copy(Run *copy, const Run *run, Error *error);
void deep_cache_free(DeepCache *deep);

// exact.c
// What can't be with an exact denoiser, or in one; true without
bool exact_check(const Model *model, const Settings *settings, Error *error);
// The latents that each row's prompt means; exact_choices_free gives them back
bool exact_choices_make(Prompts *prompts, const Settings *settings, Error *error);
bool exact_choices_copy(Prompts *to, const Prompts *from, Error *error);
void exact_choices_free(Prompts *prompts);
// run_ask_unet, asked of the exact denoiser about the latents in model_input
Tensor exact_ask(Run *run, const Prompts *prompts, size_t rows);

// prompts.c
// Through the text encoder: ids [rows, length] -> embeddings [rows, length, width]. Both are NULL when it is planned.
void prompts_forward(Context *ctx, const TextEncoder *encoder, int64_t *ids, size_t rows, size_t length,
                     size_t clip_skip, float *embeddings);
Tensor prompts_embeddings(const Prompts *prompts, size_t rows);  // the last so many: [rows, length, width]
bool prompts_encode(Prompts *prompts, Context *ctx, const Model *model, const Settings *settings, Error *error);
bool prompts_copy(Prompts *to, const Prompts *from, const Model *model, const Settings *settings, Error *error);
void prompts_free(Prompts *prompts);

// decode.c: run_decode through any VAE, with the kernels, memory and observers of ctx, which is the run's or a copy of
// it. Stopped it fails with the message "cancelled", and the stop remains.
bool decode_through(const Run *run, Context *ctx, const Vae *vae, const float *latents, Image *image,
                    float *float_pixels, Error *error);

// start.c: fills run->latents
bool start_from_noise(Run *run, const float *latents, Error *error);
bool start_from_image(Run *run, const Image *init, Error *error);
// init at the run's size, [3, H, W] in -1..1, malloc'ed
float *start_pixels(const Run *run, const Image *init, Error *error);
// The encoder's answer to pixels, one draw of it -> latents [n]
bool start_encode(Run *run, const float *pixels, float *latents, Error *error);

// inpaint.c
bool start_from_mask(Run *run, const Image *init, const Image *mask, Error *error);  // fills inpaint and latents
void inpaint_show(const Run *run, float *model_input);  // what stands behind the latents in a row of INPAINT_CHANNELS
bool inpaint_blends(const Run *run);  // whether it keeps a part of a picture with a U-Net that knows of no mask
void inpaint_blend(Run *run, size_t k, float *latents);  // puts the kept part back, as noisy as step k wants it
bool inpaint_copy(Run *copy, const Run *run, Error *error);
void inpaint_free(Inpaint *inpaint);

// pipeline.c
// One pass of the U-Net (or what stands in its place) about the latents as they are, at the timestep that comes next, with the prompts' last so many
// rows: its answer [rows, 4, h, w], in the arena, holds nothing if the run was stopped. deep, deep_known: see UNetShared
Tensor run_ask_unet(Run *run, const Prompts *prompts, size_t rows, Tensor deep, bool deep_known);
// Takes the step that comes next with the answer in model_output [rows, n] and noise_pred, and takes it down.
void run_advance(Run *run, StepWork work);
bool run_take_memory(Run *run, Error *error);  // run->memory, by n and input_n
// Between steps: an arena of at least so many bytes, if these settings allow it
bool run_make_room(Run *run, const Settings *settings, size_t bytes, Error *error);
// The same, of as many as these settings and kernels and whoever observes will take
bool run_reserve(Run *run, const Settings *settings, const Kernel *const kernels[OP_COUNT], Error *error);
