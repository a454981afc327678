// exercise.c - lesson 02: write a denoiser without a network
//
// exercise.h says what goes in and comes out, README.md where the weights come from. `make check N=02` says how far you are,
// and draws with your denoiser. It is about 20 lines.

#include "exercise.h"

#include <math.h>
#include <stdlib.h>

void best_guess(const float *x_t, double a, const float *pictures, size_t count, size_t n, float *x0) {
    // Here. Add up in double; weights [count] want an array of your own.
}

void noise_of_guess(const float *x_t, double a, const float *x0, size_t n, float *noise_pred) {
    // Here. One line in a loop.
}
