// knobs.h - what the hand can set, as plain values
//
// Where: the knobs' panel turns them; a branch remembers those it was drawn with; the engine makes Settings of them.
// They are copied freely: strings are inside, and a picture that was dropped on the window lives as long as the viewer.

#pragma once

#include "run/trace.h"
#include "sculpt.h"

enum { KNOB_TEXT = 4096, KNOB_PATH = 1024, KNOB_CONFIG = 512, KNOB_OVERRIDES = 24 };

typedef struct Knobs {
    char model[KNOB_PATH];  // a folder or a single file
    char prompt[KNOB_TEXT], negative_prompt[KNOB_TEXT];
    size_t num_inference_steps;
    float guidance_scale;
    char scheduler[32];                  // its name; "": the model's own
    char scheduler_config[KNOB_CONFIG];  // "key=value key=value ...", as a trace has it; "": the model's own
    uint64_t seed;
    size_t width, height;  // 0: the model's own
    float strength;        // with init
    const Image *init;     // NULL: from noise
    char init_path[KNOB_PATH];
} Knobs;

// The knob that an axis of a grid, a label or a script speaks of
typedef enum {
    KNOB_PROMPT,
    KNOB_NEGATIVE_PROMPT,
    KNOB_STEPS,
    KNOB_GUIDANCE,
    KNOB_SCHEDULER,
    KNOB_SEED,
    KNOB_SIZE,
    KNOB_STRENGTH,
    KNOB_MODEL,
    KNOB_COUNT
} Knob;

const char *knob_name(Knob knob);  // "guidance scale"
const char *
knob_key(Knob knob);  // as a trace's metadata has it: "guidance_scale"; NULL for those that it has otherwise
// A knob's value as text ("7.5", "768x512") and back. False and an error for what is no value of this knob.
void knob_text(const Knobs *knobs, Knob knob, char *text, size_t size);
bool knob_set(Knobs *knobs, Knob knob, const char *text, Error *error);
bool knob_equal(const Knobs *a, const Knobs *b, Knob knob);
bool knobs_equal(const Knobs *a, const Knobs *b);
// Whether a run under way can go on with the other's value: not its size, seed, model, nor what mattered at the start only.
bool knob_branches(Knob knob);
// What differs, as words: "guidance scale 7.5 -> 12, scheduler ddim -> euler"; "nothing" if all are equal.
void knobs_difference(const Knobs *from, const Knobs *to, char *text, size_t size);

// The model's own values, with this prompt
Knobs knobs_default(const Model *model, const char *prompt);

// The knobs as Settings for core. The strings are the knobs' own, which must outlive them; `overrides` and `split` are
// room for the scheduler's settings.
typedef struct SettingsRoom {
    const char *overrides[KNOB_OVERRIDES];
    char split[KNOB_CONFIG];
} SettingsRoom;
Settings knobs_settings(const Knobs *knobs, const Model *model, SettingsRoom *room);

// From a trace's metadata. Errors: settings that these knobs don't have (LoRAs, prompt weights, deep cache ...), without
// which going on would give something else; the message names them.
bool knobs_from_trace(Knobs *knobs, const Trace *trace, Error *error);
