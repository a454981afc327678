// layers.c - see layers.h

#include "stages/layers.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

Name name_of(const char *format, ...) {
    Name name;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(name.text, sizeof name.text, format, arguments);
    va_end(arguments);
    CHECK(length >= 0 && (size_t)length < sizeof name.text, "%s... is too long", name.text);
    return name;
}

static Name name_in(const char *at, const char *name) { return name_of("%s%s%s", at, at[0] ? "." : "", name); }

static Layer load_layer(Weights *weights, Name name, Shape weight, bool has_bias) {
    Tensor numbers = weight.rank > 1 ? weights_matrix(weights, weight, name.text, ".weight")
                                     : weights_tensor(weights, weight, name.text, ".weight");
    Layer layer = {.weight = numbers};
    if (has_bias) layer.bias = weights_tensor(weights, shape1(weight.axis[0]), name.text, ".bias");
    return layer;
}

Layer load_conv2d(Weights *weights, const char *at, const char *name, size_t Cout, size_t Cin, size_t K) {
    return load_layer(weights, name_in(at, name), shape4(Cout, Cin, K, K), true);
}

Layer load_conv2d_without_bias(Weights *weights, const char *at, const char *name, size_t Cout, size_t Cin, size_t K) {
    return load_layer(weights, name_in(at, name), shape4(Cout, Cin, K, K), false);
}

Layer load_linear(Weights *weights, const char *at, const char *name, size_t Cout, size_t Cin) {
    return load_layer(weights, name_in(at, name), shape2(Cout, Cin), true);
}

Layer load_linear_without_bias(Weights *weights, const char *at, const char *name, size_t Cout, size_t Cin) {
    return load_layer(weights, name_in(at, name), shape2(Cout, Cin), false);
}

Layer load_norm(Weights *weights, const char *at, const char *name, size_t C) {
    return load_layer(weights, name_in(at, name), shape1(C), true);
}

Layer load_linear_or_conv1x1(Weights *weights, const char *at, const char *name, size_t Cout, size_t Cin) {
    if (weights_rank(weights, name_in(at, name).text, ".weight") == 4)
        return load_conv2d(weights, at, name, Cout, Cin, 1);
    return load_linear(weights, at, name, Cout, Cin);
}

void *zeroed(size_t n, size_t size) {
    void *memory = calloc(n ? n : 1, size);
    CHECK(memory, "no memory for %zu times %zu bytes", n, size);
    return memory;
}
