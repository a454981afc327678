// sculpt.h - the public face: open a model, begin a run, step it, look inside
//
//     Error error = {0};
//     Model *model = model_open("data/models/critters", &error);
//     if (!model) return puts(error.message);
//     Settings settings = settings_default(model);
//     settings.prompt = "a pygmy hippo wearing sunglasses on the beach";
//     settings.seed = 1;
//     Run *run = run_begin(model, &settings, &error);
//     if (!run) return puts(error.message);
//     StepResult result;
//     while ((result = run_step(run, &error)) == STEP_DONE_ONE) continue;  // or look at run_last_step(run)
//     if (result != STEP_NONE_LEFT) return puts(error.message);
//     Image image;
//     if (!run_finish(run, &image, &error) || !png_write("hippo.png", &image, NULL, 0, &error)) puts(error.message);
//     image_free(&image), run_free(run), model_close(model);
//
// Every function that can fail takes an Error and leaves the program alive. A Model is read-only once open and may
// serve many runs; a Run belongs to one thread at a time. Nothing is global.

#pragma once

#include "base/error.h"
#include "base/rng.h"
#include "io/png.h"
#include "ops/context.h"
#include "ops/profile.h"
#include "schedulers/scheduler.h"
#include "single_file/single_file.h"
#include "stages/exact_denoiser.h"
#include "stages/text_encoder.h"
#include "stages/tokenizer.h"
#include "stages/unet.h"
#include "stages/vae.h"

#define SCULPT_VERSION "0.1"

// ---- a model: a diffusers folder, or a single file ------------------------------------------------------------------

enum {
    LATENT_CHANNELS = 4,   // of all Stable Diffusion 1.x and 2.x; model_open refuses others
    INPAINT_CHANNELS = 9,  // into the U-Net of an inpainting model: latents, mask, latents of the masked picture
};

typedef struct MergedLora {
    char *path;
    float weight;
    size_t layers;  // that it has changed
} MergedLora;

typedef struct Model {
    char *path;
    char *vae_path;        // where the VAE is from if it isn't the model's own; else NULL
    Tokenizer *tokenizer;  // NULL in a single file that is only looked at
    TextEncoder *text_encoder;
    UNet *unet;
    Vae *vae;
    Vae *preview_vae;         // decodes run_preview's pictures; NULL: a linear map makes them
    SingleFile *single_file;  // NULL for a folder
    MergedLora *loras;        // what was added to the weights
    size_t lora_count;
    DType matrix_type;  // of its layers
    double load_seconds;
} Model;

// How a model is opened, and what is taken from elsewhere; {0}: as it is.
typedef struct ModelOptions {
    const char *tokenizer;  // a folder with a tokenizer, which single files have none of
    bool only_looked_at;    // a single file opens without a tokenizer: nothing will be drawn
    DType matrix_type;      // how the layers' matrices are kept in memory: F32, or F16 and BF16, which take half of it
    const char *vae;  // a folder with the VAE to use in place of the model's own, AutoencoderKL or AutoencoderTiny
    const char *preview_vae;  // a folder with one that is only for run_preview
    const LoraFile *loras;    // to add to the weights, in this order
    size_t lora_count;
} ModelOptions;

// path: a folder with model_index.json, tokenizer/, text_encoder/, unet/, vae/ and scheduler/, or a .safetensors file
// with all three networks in the original naming (single_file.h). Errors name the file.
Model *model_open(const char *path, Error *error);
Model *model_open_with(const char *path, const ModelOptions *options, Error *error);
void model_close(Model *model);
// Whether its U-Net takes INPAINT_CHANNELS. Such a model needs init and mask, and draws in no other way.
bool model_inpaints(const Model *model);

// A scheduler by the settings that the model's folder or file has for it; the other arguments: scheduler_open.
Scheduler *model_scheduler(const char *path, const SingleFile *single_file, const char *name,
                           const char *const *overrides, size_t override_count, Error *error);
// The tokenizer alone: the folder's own, or the one in folder `tokenizer` with what a single file says about padding.
Tokenizer *model_tokenizer(const char *path, const char *tokenizer, Error *error);
// What was assumed about a single file, in a sentence; "" if nothing.
const char *model_note(const Model *model);

// ---- what is asked for ----------------------------------------------------------------------------------------------

#define DEFAULT_NUM_INFERENCE_STEPS 20
#define DEFAULT_GUIDANCE_SCALE 7.5f
#define LCM_NUM_INFERENCE_STEPS 4  // of models with a U-Net that was taught to guide
#define LCM_GUIDANCE_SCALE 8.5f
#define DEFAULT_STRENGTH 0.8f
#define DEFAULT_INPAINT_STRENGTH 1.0f  // with a mask

typedef struct Settings {
    const char *prompt, *negative_prompt;
    size_t num_inference_steps;
    float guidance_scale;               // 1 or less: no second pass, nor with a U-Net that was taught to guide (LCM)
    float guidance_rescale;             // 0..1: how much of the guided answer's excess contrast is taken back; 0: none
    float guidance_low, guidance_high;  // only steps with a sigma in (low, high] are guided; high 0: all of them
    size_t deep_cache;    // N: of N U-Net calls one is whole, the others take over its deep features; 0, 1: all are
    size_t clip_skip;     // how many of the text encoder's last layers the prompt goes without; 0: none
    bool prompt_weights;  // brackets in the prompts say how much words weigh (stages/prompt_weights.h)
    uint64_t seed;
    size_t width, height;                    // pixels, multiples of the VAE's factor
    const char *scheduler;                   // NULL: the one that the model names
    const char *const *scheduler_overrides;  // "key=value"
    size_t scheduler_override_count;
    const Image *init;           // image to image; NULL: text to image
    const Image *mask;           // inpainting: init is painted anew where this is white; NULL: everywhere
    float strength;              // 0..1: how much of the noise schedule is run over init; with a mask 1 is usual
    const float *latents;        // [4, h, w] to start from instead of the seed's noise; NULL: noise
    const ExactDenoiser *exact;  // asked in place of the U-Net, as long as the run lives; NULL: the U-Net is
    DType precision;  // F32 or BF16: which kernels run; BF16's convert matrices that aren't kept so, each time
    const char *kernels[OP_COUNT];  // "op=variant" choices, which go before precision's
    size_t kernel_count;
    int threads;          // 0: as many as there are cores, or as OMP_NUM_THREADS says
    size_t memory_limit;  // bytes that a run's activations may take; 0: what the machine has free
    Observer *observer;   // who is shown every stage, from the text encoder in run_begin on; NULL: nobody
    AttentionObserver attention_observer;  // asked what it wants to see while the run is planned
    void *listener;                        // for both
    Profile *profile;                      // takes down the time of every op from run_begin on; NULL: none
} Settings;

// What the model is at home at. Its precision is BF16 where its matrices are.
Settings settings_default(const Model *model);

// ---- what it will cost, from planning the same code -----------------------------------------------------------------

typedef struct RunCost {
    size_t parameters;                // of the three networks (weight_bytes: and of the preview VAE)
    size_t unet_calls;                // pictures that go through the U-Net in the whole run (two a step with guidance)
    size_t exact_answers;             // and of the exact denoiser, which a run has instead of these
    size_t timestep_count;            // steps that will be run: int(steps * strength) for image to image
    size_t unguided_steps;            // of them, outside the guidance interval
    size_t shallow_steps;             // of them, with deep features from an earlier one
    float first_sigma, last_sigma;    // of these steps
    size_t encodes;                   // pictures that are encoded before the first step: none for text to image
    Cost text, step, decode, encode;  // a step: both halves of guidance, nothing left out
    Cost steps;                       // all of them together, with what is left out
    Cost preview;                     // one picture of the preview VAE; 0 without one
    size_t weight_bytes, activation_bytes;  // activation_bytes: the arena's peak over all stages
    size_t kept_bytes;  // beside the arena, from step to step: what was read of the prompt, and deep features
    const SchedulerKind *scheduler;  // the one that the settings, or the model, name
    char scheduler_note[256];        // what was changed in the model's settings for it; "" if nothing
} RunCost;

bool run_cost(const Model *model, const Settings *settings, RunCost *cost, Error *error);

// ---- a run, stepped by its owner ------------------------------------------------------------------------------------

typedef struct Run Run;

// STEP_CANCELLED: run_stop was called; nothing has changed since before this step, so run_step may be called again to
// go on. STEP_FAILED: the U-Net's answer wasn't finite (a broken kernel, broken weights); this too leaves the run as it
// was.
typedef enum { STEP_DONE_ONE, STEP_NONE_LEFT, STEP_CANCELLED, STEP_FAILED } StepResult;

// What the last step saw and did; [channels, h, w] each, valid until the next step or run_change.
typedef struct StepRecord {
    size_t k;  // counted from 0
    float timestep;
    const float *latents;                              // what step k started from
    const float *noise_pred_uncond, *noise_pred_text;  // NULL with guidance off, or off in this step
    const float *noise_pred;                           // after guidance
    const float *pred_original_sample;
    const float *prev_sample;  // what step k + 1 starts from
    size_t channels, height, width;
    bool shallow;  // deep features were taken over from an earlier step (deep_cache)
    double seconds;
} StepRecord;

typedef struct RunTimes {  // seconds; encode: of the pictures to begin with; preview: through the preview VAE
    double text, encode, steps, decode, preview;
} RunTimes;

// What the U-Net said at a step, from a StepRecord or a trace; [4, h, w] each, not the run's own
typedef struct StepAnswer {
    const float *noise_pred_uncond, *noise_pred_text;  // both NULL where the step wasn't guided
    const float *noise_pred;                           // after guidance
} StepAnswer;

Run *run_begin(const Model *model, const Settings *settings, Error *error);  // tokenizes, encodes, draws the noise
StepResult run_step(Run *run, Error *error);
// Takes the step that comes next with an answer that was taken down, and asks no U-Net: the noise that is drawn, the
// scheduler's history, record and latents become what run_step made of it, bit for bit. noise_pred is taken as it is,
// not guided again. Its seconds are 0. Deep features (deep_cache) aren't part of an answer: they are forgotten and the
// next U-Net call is a whole one, so with deep_cache what follows may differ from the run that was taken down.
// STEP_FAILED: a part is missing, or numbers aren't finite; the run is as it was.
StepResult run_replay(Run *run, const StepAnswer *answer, Error *error);
const StepRecord *run_last_step(const Run *run);        // NULL before the first
bool run_finish(Run *run, Image *image, Error *error);  // decodes the latents as they are now
void run_free(Run *run);

// A twin at the same step, generator and history included; it ends in the same picture, bit for bit, unless changed.
// Observers and profile aren't copied.
Run *run_copy(const Run *run, Error *error);

// From here on with other settings: guidance, prompts, scheduler, its settings, number of steps. Another scheduler (or
// step count) starts at its timestep nearest to this one's, with a fresh history. Size and seed can't change; init,
// mask, latents and observers mattered at the start only and are not looked at. On failure the run is as it was. Deep
// features (deep_cache) are kept if prompts, scheduler, deep_cache and guidance interval stay, else the next U-Net call is
// a whole one.
bool run_change(Run *run, const Settings *settings, Error *error);

// Any latents [4, h, w] as a quick picture, to be asked for between steps. With a preview VAE that is what its decoder
// makes, of full size. Without one it has one pixel a latent: a linear map, nearly free once the first has measured it
// on this model's VAE. Both can fail: without memory, or after run_stop ("cancelled"), which the next step heeds too.
bool run_preview(Run *run, const float *latents, Image *image, Error *error);
// The same through the VAE's decoder: the true picture, at a decoder's price. float_pixels (or NULL): [3, H, W] in
// 0..1, not rounded. Stopped by run_stop it fails with the message "cancelled".
bool run_decode(Run *run, const float *latents, Image *image, float *float_pixels, Error *error);
// The linear map of run_preview, measured if it isn't yet, with a preview VAE too: rgb in 0..1 is the sum of latents[c]
// * latent_rgb[c] over the channels, plus the last row. Fails as run_preview does.
bool run_latent_rgb(Run *run, float latent_rgb[LATENT_CHANNELS + 1][3], Error *error);

// Asks the U-Net about the latents as they are now, at the timestep that comes next, with another prompt (read as the
// settings have theirs read: prompt_weights, clip_skip); NULL: with the run's own, whose answer is noise_pred_text as
// the next step will have it, but for the last bits where two rows are computed in other tiles than one. answer [4, h,
// w], one row, without guidance or deep features; observers and profile see it pass. The run stays as it is, bit for
// bit. Errors: a finished run, which has no next timestep; a prompt that can't be read; an answer that isn't finite;
// after run_stop, "cancelled".
bool run_ask(Run *run, const char *prompt, float *answer, Error *error);

// From any thread: the step (or decoding) under way ends within one op; between steps, the next one ends at once. One
// call cancels one of them.
void run_stop(Run *run);
size_t run_step_count(const Run *run);  // done and still to do
size_t run_steps_done(const Run *run);
const float *run_latents(const Run *run);  // [4, h, w] as they are now
const Scheduler *run_scheduler(const Run *run);
const TokenIds *run_tokens(const Run *run, int row);  // row 0 the negative prompt, 1 the prompt
// [rows, length, width]: 2 rows, the negative prompt's first; 1, the prompt's, with guidance off
const float *run_text_embeddings(const Run *run, size_t *rows, size_t *length, size_t *width);
// The settings as text, for a trace's metadata or a PNG's chunks: prompt, model, seed, ..., kernels, version. All UTF-8;
// other bytes of the model's path are written as "\xff".
const Metadata *run_metadata(const Run *run, size_t *count);
const Model *run_model(const Run *run);
void run_latent_size(const Run *run, size_t *height, size_t *width);
RunTimes run_times(const Run *run);
size_t run_peak_activation_bytes(const Run *run);
// Who listens from here on, in place of those that the settings named. To be called between steps. An attention
// observer is asked here already what it wants to see, since each of those matrices takes memory; without that memory
// it is an error, and whoever listened before still does.
bool run_observe(Run *run, Observer *observer, AttentionObserver attention, void *listener, Error *error);
