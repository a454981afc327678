// exact_denoiser.h - what a U-Net is trained to say, said without one: from the training set itself
//
// A latent x_t is some x0 of the training set under noise: x_t = sqrt(a) x0 + sqrt(1 - a) noise. Nobody can tell for
// certain which, but the noise is normal, so how likely each is is known (Bayes), and the mean over all of them is the
// answer with the least squared error, which is what training asks a network for:
//
//     weight of x0_i = softmax over i of  -|x_t - sqrt(a) x0_i|^2 / (2 (1 - a))          answer = sum of weight_i x0_i
//
// No network answers this question better, and none is wanted that does: sampling with these answers ends in a picture
// of the training set. What a trained network draws beyond them comes of what it can't do. A convolution looks through
// a window and doesn't know well where it is; look at the same training set through one and there are new pictures,
// each window likely, the whole of no drawing (exact_windows.c).
//
// Where: in the place of unet.c, for those who want to see what is the data's and what the network's.
// Elsewhere: the ideal score machine of Kamb & Ganguli 2024 (arXiv 2412.20292); the optimal denoiser of Karras et al.
// 2022 (arXiv 2206.00364), appendix B.3. Read next: exact_denoiser.c, exact_windows.c.

#pragma once

#include "ops/context.h"
#include "schedulers/scheduler.h"

#include <stdbool.h>
#include <stddef.h>

// Clean latents, as a U-Net is trained on (the VAE's, scaled to variance 1): [count, channels, height, width]
typedef struct LatentSet {
    const float *latents;
    size_t count, channels, height, width;
} LatentSet;

// Which of a set are meant, each at most once; index NULL: all of it
typedef struct LatentChoice {
    const size_t *index;  // [count]
    size_t count;
} LatentChoice;

// A set, the window to look at it through, and who says what a prompt means in it. All of it belongs to the caller, and
// outlives every run that asks.
typedef struct ExactDenoiser {
    LatentSet set;
    size_t window;  // 0: the picture as a whole; N, odd: through windows of N x N latents
    size_t reach;   // how far from its own place a window's look-alikes are looked for; 0: only there (exact_windows.c)
    // Writes the numbers of the latents that a prompt means into index [set.count], and how many. An error where there
    // are none, or the prompt isn't understood. NULL: nobody says, and only the empty prompt, which means all of them, is
    // one.
    bool (*match)(const void *matcher, const char *prompt, size_t *index, size_t *count, Error *error);
    const void *matcher;
} ExactDenoiser;

// What a U-Net of this prediction type would say about latents: [rows, channels, height, width], a row for each of
// `choices`. latents [1, channels, height, width] are of variance 1, as the U-Net sees them; a: alphas_cumprod at their
// timestep, 0 <= a < 1. Planning and stopping are as with the stages that are networks.
Tensor exact_forward(Context *ctx, const ExactDenoiser *exact, const LatentChoice *choices, size_t rows, Tensor latents,
                     double a, PredictionType type);

// ---- the arithmetic -------------------------------------------------------------------------------------------------

// x0, x: [channels, height, width]. weights [choice.count], out too: how much of the answer each latent is; they sum to 1.
void exact_denoise(float *x0, double *weights, const float *x, double a, const LatentSet *set, LatentChoice choice);

// The same through windows, each place on its own. scratch: exact_windows_scratch_size bytes, aligned to floats. stop:
// looked at now and then; once true, the answer holds nothing. NULL: can't be stopped.
void exact_denoise_windows(float *x0, const float *x, double a, const LatentSet *set, LatentChoice choice,
                           size_t window, size_t reach, void *scratch, const atomic_bool *stop);
size_t exact_windows_scratch_size(const LatentSet *set, size_t window);
// How many pairs of windows are compared, and how many float operations that takes
size_t exact_windows_flops(const LatentSet *set, size_t count, size_t window, size_t reach);

// The chosen latent i: [channels, height, width]
const float *chosen_latent(const LatentSet *set, LatentChoice choice, size_t i);

// The number of the chosen latent nearest to x [channels, height, width], and how far: the root of the mean squared
// difference
size_t exact_nearest(const float *x, const LatentSet *set, LatentChoice choice, double *distance);
