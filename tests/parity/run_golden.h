// run_golden.h - what the tests of whole runs beside diffusers' share. A golden file holds many runs, each as NAME.latents
// [N + 1, 4, h, w], before each step and after the last, and with some NAME.timesteps [N], NAME.image and others.

#pragma once

#include "io/safetensors.h"
#include "sculpt.h"

// NAME.what; NULL if there is none. `expect` says that there must be.
const SafetensorsEntry *run_golden_entry(const SafetensorsFile *golden, const char *name, const char *what);
const SafetensorsEntry *run_golden_expect(const SafetensorsFile *golden, const char *name, const char *what);

// Steps a run to its end and returns the largest relative L2 of the latents, those that it began with included. Where
// the golden has them, timesteps must be equal, and noise_pred and pred_original_sample of the first step within bound.
double run_golden_follow(const SafetensorsFile *golden, const char *name, Run *run, double bound);

// How far the last latents of a run are from the golden's when it is asked for something else
double run_golden_off(const SafetensorsFile *golden, const char *name, const Model *model, const Settings *settings);

// The PSNR of a picture, in dB, to one that is kept as half floats [3, H, W], 0..255; 0 if that has another size.
double run_golden_psnr(const SafetensorsEntry *reference, const Image *image);

// A picture to begin with: red from left to right, green from top to bottom, blue in stripes
Image run_golden_init(size_t width, size_t height);
