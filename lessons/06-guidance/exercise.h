// exercise.h - lesson 06: the functions to be written, as their check calls them

#pragma once

#include <stdbool.h>
#include <stddef.h>

// Classifier-free guidance. The U-Net was asked twice about the same latents, in one batch: row 0 of its answer is what it
// says to the empty (or negative) prompt, row 1 what it says to the prompt. Go from the first towards the second, and
// guidance_scale times as far:
//
//     noise_pred = uncond + guidance_scale * (text - uncond)
//
//     answer      [2, n]
//     noise_pred  [n]
void guide(const float *answer, float guidance_scale, float *noise_pred, size_t n);

// Whether a step is guided at all. One whose guidance_scale is 1 or less isn't: the U-Net is asked once, with the prompt.
// Nor is one whose sigma is outside the interval (low, high]; high 0 means that there is no interval, and all steps are in.
bool step_is_guided(float guidance_scale, float sigma, float low, float high);

// The contrast that guidance has added, taken back (Lin et al. 2023, arXiv 2305.08891, equations 15 and 16):
//
//     rescaled   = noise_pred * deviation(text) / deviation(noise_pred)
//     noise_pred = guidance_rescale * rescaled + (1 - guidance_rescale) * noise_pred
//
// The deviation is the root of the mean squared distance from the mean.
//
//     text        [n]  what the U-Net said to the prompt
//     noise_pred  [n]  after guidance; changed in place
void rescale_guided(const float *text, float guidance_rescale, float *noise_pred, size_t n);
