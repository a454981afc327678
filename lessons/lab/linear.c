// linear.c - each token's numbers become weighted sums of each other
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab linear mine.c
//
// How Sculpt's own do it: core/ops/linear.c. What the arguments are: core/ops/linear.h. Made by templates.py.

#include "ops/my_kernel.h"

// Linear
//
//     out[n,o] = bias[o] + sum over c of  in[n,c] * weight[o,c]          as matrices: out = in weight^T + bias
//
//     in [N, Cin]    weight [Cout, Cin]    bias [Cout]    out [N, Cout]
//
// With `add` the sum goes on top of what out holds: where a layer ends in a shortcut (x += ...), its result needn't be
// written anywhere else first.

static void my_linear(float *out, const float *in, const void *weight, const float *bias, LinearShape s,
                      void *scratch) {
    (void)scratch;
    const float *w = weight;
    for (size_t n = 0; n < s.N; n++) {
        for (size_t o = 0; o < s.Cout; o++) {
            double sum = (bias ? bias[o] : 0) + (s.add ? out[n * s.Cout + o] : 0);
            for (size_t c = 0; c < s.Cin; c++) sum += (double)in[n * s.Cin + c] * w[o * s.Cin + c];
            out[n * s.Cout + o] = (float)sum;
        }
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "linear", .linear = my_linear};
