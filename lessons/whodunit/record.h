// record.h - a run of the real pipeline with one fault in it, taken down
//
// Nothing in core is changed for it: a fault takes hold of a run where one can be taken hold of, at its settings, its
// start, before a step, at the U-Net's answer, at guidance, before the decoder and behind it.
// Read next: faults.h.

#pragma once

#include "run/trace.h"

// What is planted; what is NULL is as it should be. n: numbers in latents [4, h, w].
typedef struct Fault {
    void (*settings)(Settings *settings);  // what is asked of the pipeline, instead of what was ordered
    // After run_begin. kind is the run's own and may be changed; settings are those that were ordered.
    void (*start)(Run *run, const Settings *settings, SchedulerKind *kind);
    void (*before)(Run *run, size_t k);  // before step k
    void (*answer)(Run *run, size_t k, float *uncond, float *text, size_t n);
    void (*guide)(float guidance_scale, const float *uncond, const float *text, float *noise_pred, size_t n);
    void (*decode)(const Model *model, float *latents, size_t n);
    void (*picture)(float *pixels, size_t area);  // [3, area] in 0..1
} Fault;

// uncond + guidance_scale (text - uncond): guidance as it should be
void guide(float guidance_scale, const float *uncond, const float *text, float *noise_pred, size_t n);

// All of it, from the prompt to the picture. A run that fails ends the program (demo_needs).
Trace *record(const Model *model, const Settings *settings, const Fault *fault);
