// mlp.c - see mlp.h

#include "demo/mlp.h"

#include "base/rng.h"
#include "demo/demo.h"
#include "ops/exp.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- a linear layer, and back through it ----------------------------------------------------------------------------
//
//     out[r, o] = sum over i of in[r, i] weight[o, i] + bias[o]
//
// so d_weight[o, i] = sum over r of d_out[r, o] in[r, i]      every row has had its part in it
//    d_bias[o]      = sum over r of d_out[r, o]
//    d_in[r, i]     = sum over o of d_out[r, o] weight[o, i]  every output has looked at this input
//
// Three products of matrices.

static void layer_forward(const MlpLayer *layer, size_t rows) {
    int N = (int)rows, in = (int)layer->in_size, out = (int)layer->out_size;
    for (size_t r = 0; r < rows; r++)
        memcpy(layer->out + r * layer->out_size, layer->bias, layer->out_size * sizeof(float));
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, N, out, in, 1, layer->in, in, layer->weight, in, 1, layer->out,
                out);
}

static void backward_by_blas(const float *in, const float *weight, const float *d_out, size_t rows, size_t in_size,
                             size_t out_size, float *d_weight, float *d_bias, float *d_in) {
    int N = (int)rows, ins = (int)in_size, outs = (int)out_size;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, outs, ins, N, 1, d_out, outs, in, ins, 0, d_weight, ins);
    memset(d_bias, 0, out_size * sizeof *d_bias);
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < out_size; o++) d_bias[o] += d_out[r * out_size + o];
    if (d_in)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, ins, outs, 1, d_out, outs, weight, ins, 0, d_in, ins);
}

// ---- SiLU: x sigmoid(x), which falls off smoothly below 0 -----------------------------------------------------------

static void silu_of(float *out, const float *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) out[i] = x[i] / (1 + exp_inline(-x[i]));
}

// d(x s) / dx = s + x s (1 - s), s = sigmoid(x)
static void silu_backward_inplace(float *d, const float *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        float s = 1 / (1 + exp_inline(-x[i]));
        d[i] *= s + x[i] * s * (1 - s);
    }
}

// ---- Adam (Kingma & Ba 2014, arXiv 1412.6980, algorithm 1) ----------------------------------------------------------
//
// m is a running mean of the gradient, v of its square. Both begin with 0 and are too small at first: by 1 - beta^step.

static void adam(float *parameters, const float *gradients, float *m, float *v, size_t n, size_t step,
                 float learning_rate) {
    const float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
    float of_m = 1 / (1 - powf(beta1, (float)step)), of_v = 1 / (1 - powf(beta2, (float)step));
    for (size_t i = 0; i < n; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * gradients[i];
        v[i] = beta2 * v[i] + (1 - beta2) * gradients[i] * gradients[i];
        parameters[i] -= learning_rate * (m[i] * of_m) / (sqrtf(v[i] * of_v) + epsilon);
    }
}

// ---- the network ----------------------------------------------------------------------------------------------------

static void begin_weights(MlpLayer *layer, Rng *rng) {
    float range = 1 / sqrtf((float)layer->in_size);
    for (size_t i = 0; i < layer->in_size * layer->out_size; i++) {
        layer->weight[i] = range * (2 * (float)(rng_u32(rng) >> 8) * 0x1p-24f - 1);
    }
}

Mlp *mlp_new(const size_t *sizes, size_t layers, size_t most_rows, uint64_t seed) {
    Mlp *mlp = calloc(1, sizeof *mlp);
    demo_needs(mlp && layers <= MLP_MOST_LAYERS, &(Error){0});
    mlp->layer_count = layers, mlp->linear_backward = backward_by_blas, mlp->adam_step = adam;
    for (size_t l = 0; l < layers; l++) mlp->parameter_count += (sizes[l] + 1) * sizes[l + 1];
    mlp->parameters = demo_floats(mlp->parameter_count), mlp->gradients = demo_floats(mlp->parameter_count);
    mlp->m = demo_floats(mlp->parameter_count), mlp->v = demo_floats(mlp->parameter_count);

    Rng rng;
    rng_seed(&rng, seed);
    size_t at = 0;
    for (size_t l = 0; l < layers; l++) {
        MlpLayer *layer = &mlp->layers[l];
        layer->in_size = sizes[l], layer->out_size = sizes[l + 1];
        layer->weight = mlp->parameters + at, layer->d_weight = mlp->gradients + at;
        at += layer->in_size * layer->out_size;
        layer->bias = mlp->parameters + at, layer->d_bias = mlp->gradients + at;
        at += layer->out_size;
        layer->in = demo_floats(most_rows * layer->in_size);
        layer->out = demo_floats(most_rows * layer->out_size);
        layer->d_out = demo_floats(most_rows * layer->out_size);
        begin_weights(layer, &rng);
    }
    return mlp;
}

void mlp_free(Mlp *mlp) {
    for (size_t l = 0; l < mlp->layer_count; l++) {
        free(mlp->layers[l].in), free(mlp->layers[l].out), free(mlp->layers[l].d_out);
    }
    free(mlp->parameters), free(mlp->gradients), free(mlp->m), free(mlp->v);
    free(mlp);
}

const float *mlp_forward(Mlp *mlp, const float *in, size_t rows) {
    mlp->rows = rows;
    memcpy(mlp->layers[0].in, in, rows * mlp->layers[0].in_size * sizeof *in);
    for (size_t l = 0; l < mlp->layer_count; l++) {
        MlpLayer *layer = &mlp->layers[l];
        if (l > 0) silu_of(layer->in, mlp->layers[l - 1].out, rows * layer->in_size);
        layer_forward(layer, rows);
    }
    return mlp->layers[mlp->layer_count - 1].out;
}

void mlp_backward(Mlp *mlp, const float *d_out) {
    MlpLayer *last = &mlp->layers[mlp->layer_count - 1];
    memcpy(last->d_out, d_out, mlp->rows * last->out_size * sizeof *d_out);
    for (size_t l = mlp->layer_count; l-- > 0;) {
        MlpLayer *layer = &mlp->layers[l], *before = l > 0 ? layer - 1 : NULL;
        mlp->linear_backward(layer->in, layer->weight, layer->d_out, mlp->rows, layer->in_size, layer->out_size,
                             layer->d_weight, layer->d_bias, before ? before->d_out : NULL);
        if (before) silu_backward_inplace(before->d_out, before->out, mlp->rows * layer->in_size);
    }
}

void mlp_learn(Mlp *mlp, float learning_rate) {
    mlp->adam_step(mlp->parameters, mlp->gradients, mlp->m, mlp->v, mlp->parameter_count, ++mlp->steps, learning_rate);
}
