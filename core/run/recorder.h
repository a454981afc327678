// recorder.h - watches a run's attention and keeps what it saw
//
//     Recorder recorder;
//     recorder_open(&recorder, model, &settings, false);
//     settings.attention_observer = recorder.observer;           // before run_begin, which reads the prompt;
//     settings.listener = &recorder;                             // or later: run_observe(run, NULL, recorder.observer,
//     Run *run = run_begin(model, &settings, &error);            //                       &recorder, &error)
//     recorder_take_text(&recorder, &text_attention, &error);
//     while (run_step(run, &error) == STEP_DONE_ONE) recorder_take(&recorder, &maps, &error);  // then attention_maps_free
//     recorder_close(&recorder);
//
// It sees the prompt's half only (with guidance, the negative prompt has maps of its own): in the U-Net how the picture
// looks at the words, in the text encoder how they look at each other. What whole matrices take while they are shown is
// planned with the run, as for every observer; what is kept of them is the recorder's own, until it is taken.
//
// A run has one listener for tensors and attention. Who wants both makes the recorder the first member of a struct of
// his own: a pointer to it is then one to the recorder, too.

#pragma once

#include "run/attention.h"
#include "sculpt.h"

typedef struct Recorder {
    AttentionObserver observer;
    bool heads_apart;
    size_t height, width;  // of the latents
    bool halves_up;        // whether the U-Net makes 3 of 5 when it halves, or 2
    AttentionMaps maps;    // of the U-Net's last call, as far as it has come
    TextAttention text;
    bool out_of_memory;
} Recorder;

// For runs of this model and size. heads_apart: the U-Net's maps for each head, not their mean; the text encoder's are
// always apart.
void recorder_open(Recorder *recorder, const Model *model, const Settings *settings, bool heads_apart);
// The maps of the last U-Net call are the caller's from now on; after a step that took deep features over, only those of
// the layers that ran. Empty if there was no call since the last time. False without memory for all of them.
bool recorder_take(Recorder *recorder, AttentionMaps *maps, Error *error);
// The same of the prompt's last way through the text encoder: in run_begin, and in run_change if the prompt changes.
bool recorder_take_text(Recorder *recorder, TextAttention *text, Error *error);
void recorder_close(Recorder *recorder);
