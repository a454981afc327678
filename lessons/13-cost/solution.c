// solution.c - lesson 13: FLOPs and bytes of layers. In core/ every op says its own, in ops/ops.c

#include "exercise.h"

double conv2d_flops(Conv2dShape s) {
    double outputs = (double)(s.B * s.Cout * s.Hout * s.Wout);
    return 2 * outputs * (double)(s.Cin * s.K * s.K);
}

double conv2d_bytes(Conv2dShape s) {
    size_t in = s.B * s.Cin * s.H * s.W, out = s.B * s.Cout * s.Hout * s.Wout;
    size_t weight = s.Cout * s.Cin * s.K * s.K, bias = s.Cout;
    return 4 * (double)(in + weight + bias + out);
}

double linear_flops(LinearShape s) { return 2 * (double)(s.N * s.Cin * s.Cout); }

double attention_flops(AttentionShape s) {
    size_t pairs = s.causal ? s.Tq * (s.Tq + 1) / 2 : s.Tq * s.Tk;
    return 2 * 2 * (double)(s.B * s.heads * pairs * s.d);
}

static double conv(ResnetSizes s, size_t Cin, size_t K) {
    return conv2d_flops((Conv2dShape){.B = s.B, .Cin = Cin, .Cout = s.Cout, .K = K, .Hout = s.H, .Wout = s.W});
}

double resnet_block_flops(ResnetSizes s) {
    double time = linear_flops((LinearShape){.N = s.B, .Cin = s.time, .Cout = s.Cout});
    double shortcut = s.Cin != s.Cout ? conv(s, s.Cin, 1) : 0;
    return conv(s, s.Cin, 3) + time + conv(s, s.Cout, 3) + shortcut;
}

double transformer_flops(TransformerSizes s) {
    size_t pixels = s.H * s.W, words = s.text_length;
    double square = linear_flops((LinearShape){.N = s.B * pixels, .Cin = s.C, .Cout = s.C});
    double of_words = linear_flops((LinearShape){.N = s.B * words, .Cin = s.text_width, .Cout = s.C});
    AttentionShape itself = {.B = s.B, .heads = s.heads, .Tq = pixels, .Tk = pixels, .d = s.C / s.heads};
    AttentionShape text = {.B = s.B, .heads = s.heads, .Tq = pixels, .Tk = words, .d = s.C / s.heads};

    double projections = 2 * square;
    double attn1 = 4 * square + attention_flops(itself);
    double attn2 = 2 * square + 2 * of_words + attention_flops(text);
    double feed_forward = 8 * square + 4 * square;
    return projections + attn1 + attn2 + feed_forward;
}
