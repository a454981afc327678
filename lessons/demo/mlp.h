// mlp.h - a small network that can learn: linear layers with SiLU between them, backward by hand, Adam
//
// For lesson 03. A layer is out = in W^T + b, as torch.nn.Linear; nothing happens behind the last.
//
//     Mlp *mlp = mlp_new((size_t[]){18, 96, 96, 2}, 3, 512, 1);
//     const float *out = mlp_forward(mlp, in, rows);      // [rows, 2]
//     ... d_out: how the loss changes with out ...
//     mlp_backward(mlp, d_out);                           // how it changes with each parameter
//     mlp_learn(mlp, 1e-3f);                              // a step downhill
//
// Read next: mlp.c; learning.h, which teaches it.

#pragma once

#include <stddef.h>
#include <stdint.h>

// What a loss that changes by d_out [rows, out] with the layer's output changes with its weight [out, in], bias [out] and
// input [rows, in]. The results are overwritten; d_in may be NULL.
typedef void LinearBackward(const float *in, const float *weight, const float *d_out, size_t rows, size_t in_size,
                            size_t out_size, float *d_weight, float *d_bias, float *d_in);

// A step of Adam over n parameters, their gradients and moments m, v (both 0 before the first). step counts from 1.
typedef void AdamStep(float *parameters, const float *gradients, float *m, float *v, size_t n, size_t step,
                      float learning_rate);

enum { MLP_MOST_LAYERS = 8 };

typedef struct MlpLayer {
    size_t in_size, out_size;
    float *weight, *bias, *d_weight, *d_bias;  // [out, in], [out]; parts of Mlp's parameters and gradients
    float *in, *out, *d_out;                   // [most_rows, in], [most_rows, out]; before the SiLU
} MlpLayer;

typedef struct Mlp {
    MlpLayer layers[MLP_MOST_LAYERS];
    size_t layer_count, parameter_count, rows, steps;
    float *parameters, *gradients, *m, *v;  // [parameter_count]
    LinearBackward *linear_backward;        // these two may be replaced
    AdamStep *adam_step;
} Mlp;

// sizes [layers + 1]: in, hidden ones, out. Weights are uniform within +-1/sqrt(in), as torch has them.
Mlp *mlp_new(const size_t *sizes, size_t layers, size_t most_rows, uint64_t seed);
void mlp_free(Mlp *mlp);

const float *mlp_forward(Mlp *mlp, const float *in, size_t rows);
void mlp_backward(Mlp *mlp, const float *d_out);  // of the last mlp_forward
void mlp_learn(Mlp *mlp, float learning_rate);
