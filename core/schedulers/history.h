// history.h - what a step leaves behind for the next ones: earlier answers of the model, latents to come back to
//
// Where: inside the step of the schedulers that look back (lms.c, dpmpp_2m.c, pndm.c ...) or that take a step in two
// halves (heun.c, kdpm2.c). Each row holds as many floats as the latents. Elsewhere: the lists `derivatives`,
// `model_outputs` and `ets` of diffusers' classes.

#pragma once

#include "schedulers/scheduler.h"

// Makes ready for step k over n floats. What was noted for another step than k is forgotten: a walk that begins in the
// middle, as image to image does, knows nothing of the steps before.
void history_open(History *h, size_t k, size_t n);

// Notes that step k is done: one more is known.
void history_close(History *h, size_t k);

float *history_row(const History *h, size_t row);  // [n]

// Moves rows 0 .. count - 2 one further, and puts these values into row 0.
void history_push(History *h, const float *values, size_t count);

bool history_copy(History *copy, const History *h);  // false without memory
void history_free(History *h);
