// branch.h - one walk from noise to picture, as far as it is known, and what has been found out about it
//
// A run from the beginning is a branch without a parent. Where knobs are turned at step k of it, a branch is made that
// shares steps 0 to k-1 and walks on from there. Its chapters say what was set from which step on; with the recorded
// steps they are all it takes to stand at any step again without asking the U-Net (run_replay).
// Where: the viewer owns branches; the engine only ever gets copies of what it needs and sends results back.

#pragma once

#include "run/attention.h"
#include "run/deletion.h"
#include "state/knobs.h"
#include "ui/draw.h"

enum { PROMPT_WORDS_MAX = 256 };  // no tokenizer's prompts are longer

typedef struct Chapter {
    size_t from;  // the first step that was done with these
    Knobs knobs;
} Chapter;

typedef enum { BRANCH_WAITING, BRANCH_RUNNING, BRANCH_DONE, BRANCH_CANCELLED, BRANCH_FAILED } BranchState;

// The pictures of step k. Those of START and CLEAN come from a linear map at once and from the VAE's decoder later; the
// others are numbers shown as colours by that map, in which no change is grey.
typedef enum {
    PICTURE_START,     // latents.k, what the step starts from; at k = steps: the finished picture
    PICTURE_CLEAN,     // pred_original_sample.k
    PICTURE_NOISE,     // noise_pred.k
    PICTURE_GUIDANCE,  // what guidance added: noise_pred_text - noise_pred_uncond
    PICTURE_KINDS
} PictureKind;

typedef struct StepPicture {
    Picture picture;
    bool decoded;  // by the VAE; else by the linear map
    bool asked;    // the engine is about to decode it
} StepPicture;

// A prompt as the tokenizer reads it
typedef struct PromptWords {
    bool known;
    TokenIds tokens;
    PromptWord words[PROMPT_WORDS_MAX];
    size_t count;
} PromptWords;

// What was found out when somebody asked
typedef struct DeletionMap {
    size_t k, word;
    float *map;         // [height, width] latents; NULL: the engine is at it, or it failed
    char message[200];  // why it failed; ""
} DeletionMap;

typedef struct StepAttention {
    size_t k;
    AttentionMaps maps;  // count 0: the engine is at it, or it failed
    bool of_trace;       // they are the trace's, which was recorded with them
    char message[200];   // why it failed; ""
} StepAttention;

typedef struct Branch {
    int id;          // never used twice
    int parent;      // its id; -1: from the beginning
    size_t left_at;  // the step at which it left its parent
    char name[160];  // "run 1", "guidance scale 7.5 -> 12 at step 8"
    Chapter *chapters;
    size_t chapter_count;  // at least 1

    BranchState state;
    char message[sizeof(Error)];  // why it failed
    bool in_grid;                 // a cell of the grid, which the timeline doesn't list until it is opened
    bool from_file;               // its steps were recorded elsewhere
    bool continuable;             // false: a trace whose run can't be taken up again; `message` says why
    const Model *model;           // NULL until the engine has opened it
    Trace *trace;                 // NULL until it began
    size_t step_count;            // of the whole walk; trace->step_count are done
    float *sigmas;                // [step_count]: scheduler_sigma of each step's start; NULL until it began
    bool has_latent_rgb;
    float latent_rgb[LATENT_CHANNELS + 1][3];
    bool has_cost;
    RunCost cost;
    double begin_seconds, step_seconds,
        decode_seconds;  // measured: until the first step; all of its own steps; the picture
    size_t own_steps;    // of those that step_seconds is the sum of
    size_t unet_calls;   // made for this branch: pictures that went through the U-Net

    StepPicture *pictures;    // [step_count + 1, PICTURE_KINDS]
    PromptWords *words;       // [chapter_count], each of its chapter's prompt; filled when somebody looks
    DeletionMap **deletions;  // [deletion_count]
    size_t deletion_count;
    StepAttention **attention;  // [attention_count]
    size_t attention_count;
    TextAttention *text_attention;  // [chapter_count], of each one's prompt; count 0: not yet asked for
} Branch;

Branch *branch_new(int id, const Chapter *chapters, size_t chapter_count);
void branch_free(Branch *branch);
const Knobs *branch_knobs(const Branch *branch);               // of its last chapter
size_t branch_chapter_at(const Branch *branch, size_t k);      // the chapter that step k belongs to
const Knobs *branch_knobs_at(const Branch *branch, size_t k);  // of step k's
// The words of step k's prompt; NULL while the model isn't open, or where it isn't read as it was when it was recorded.
const PromptWords *branch_words(Branch *branch, size_t k);
size_t branch_steps_done(const Branch *branch);  // 0 before it began
// What step k starts from: [4, height, width]; k up to steps done. NULL where that isn't known yet
const float *branch_latents(const Branch *branch, size_t k);
// What a picture of step k is made from: numbers minus `minus`, [4, height, width] each
typedef struct StepNumbers {
    const float *numbers;  // NULL: not known yet, or there is no such thing in this step
    const float *minus;    // NULL: nothing is subtracted
} StepNumbers;
StepNumbers branch_numbers(const Branch *branch, size_t k, PictureKind kind);
float *numbers_copied(const float *numbers, size_t n);  // malloc'ed
// alpha_cumprod at step k's start, from its sigma: 1 / (1 + sigma^2)
float branch_alpha(const Branch *branch, size_t k);
