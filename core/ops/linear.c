// linear.c - the fully connected layer: every output number is a weighted sum of all input numbers
//
// Where: the queries, keys, values and feed-forward layers of every transformer (text encoder and U-Net), and
//        what turns the timestep into a vector for each ResNet block.
// Elsewhere: torch.nn.Linear.
// Read next: attention.c, which is fed by three of these; conv2d.c, which is this over a window of neighbours.

#include "ops/linear.h"

#include <cblas.h>
#include <string.h>

// ---- Linear ---------------------------------------------------------------------------------------------------------
//
//     out[n,o] = bias[o] + sum over c of  in[n,c] * weight[o,c]          as matrices: out = in weight^T + bias
//
//     in [N, Cin]    weight [Cout, Cin]    bias [Cout]    out [N, Cout]

void linear_naive(float *out, const float *in, const void *weight, const float *bias, LinearShape s) {
    const float *w = weight;
    for (size_t n = 0; n < s.N; n++) {
        for (size_t o = 0; o < s.Cout; o++) {
            double sum = bias ? bias[o] : 0;
            for (size_t c = 0; c < s.Cin; c++) sum += (double)in[n * s.Cin + c] * w[o * s.Cin + c];
            out[n * s.Cout + o] = (float)sum;
        }
    }
}

// openmp: the output numbers are dealt to the threads, weight row by weight row, so that a row is read from memory once
// and then stands in the cache for all N inputs. "simd reduction" allows the sum to be taken as several partial sums,
// one a vector lane: addition of floats isn't associative, so without leave the compiler must keep to one.

void linear_openmp(float *out, const float *in, const void *weight, const float *bias, LinearShape s) {
    const float *w = weight;
#pragma omp parallel for collapse(2)
    for (size_t o = 0; o < s.Cout; o++) {
        for (size_t n = 0; n < s.N; n++) {
            float sum = 0;
#pragma omp simd reduction(+ : sum)
            for (size_t c = 0; c < s.Cin; c++) sum += in[n * s.Cin + c] * w[o * s.Cin + c];
            out[n * s.Cout + o] = sum + (bias ? bias[o] : 0);
        }
    }
}

// blas: one sgemm. It works on blocks of rows and columns at once, so a number that has come into a register is used
// for many sums: 2 N Cin Cout operations on (N + Cout) Cin numbers can run at the speed of the arithmetic, not of the
// memory. The output starts as the bias and the product is added to it.

void linear_blas(float *out, const float *in, const void *weight, const float *bias, LinearShape s) {
    for (size_t n = 0; n < s.N; n++) {
        if (bias)
            memcpy(out + n * s.Cout, bias, s.Cout * sizeof(float));
        else
            memset(out + n * s.Cout, 0, s.Cout * sizeof(float));
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)s.N, (int)s.Cout, (int)s.Cin, 1, in, (int)s.Cin, weight,
                (int)s.Cin, 1, out, (int)s.Cout);
}
