// resnet_block.h - the block that both the U-Net and the VAE are built of
//
// Where: everywhere in unet.c and vae.c. Elsewhere: diffusers.models.resnet.ResnetBlock2D, Downsample2D, Upsample2D.
// Papers: He et al. 2015 (arXiv 1512.03385) for the shortcut; Ho et al. 2020 (arXiv 2006.11239), appendix B, for this
// form.

#pragma once

#include "stages/layers.h"

typedef struct ResnetBlock {
    Name place;           // for observers: "unet.down_blocks.0.resnets.1"
    size_t groups;        // of both norms
    float eps;            // of both norms: 1e-5 in the U-Net, 1e-6 in the VAE
    Layer norm1, conv1;   // [Cin]; [Cout, Cin, 3, 3]
    Layer time_emb_proj;  // [Cout, time]; absent in the VAE
    Layer norm2, conv2;   // [Cout]; [Cout, Cout, 3, 3]
    Layer conv_shortcut;  // [Cout, Cin, 1, 1]; absent where Cin = Cout
} ResnetBlock;

// stage and at: whose block it is ("unet") and its name in the file ("mid_block.resnets.0"); together they are its name
// for observers. time: width of the time embedding, 0 for none.
ResnetBlock load_resnet_block(Weights *weights, const char *stage, const char *at, size_t Cin, size_t Cout, size_t time,
                              size_t groups, float eps);

// x [B, Cin, H, W], time_embedding [B, time], already through SiLU (absent in the VAE) -> [B, Cout, H, W]
Tensor resnet_block_forward(Context *ctx, Tensor x, Tensor time_embedding, const ResnetBlock *block);

// The half of a ResNet block that is also the end of both networks: x [B, Cin, H, W] -> [B, Cout, H, W]
Tensor norm_silu_conv(Context *ctx, Tensor x, const Layer *norm, size_t groups, float eps, const Layer *conv);

// x [B, C, H, W] -> [B, C, about H/2, about W/2] by a 3x3 convolution of stride 2. padding 1: zeros all round (U-Net);
// padding 0: zeros at the right and the bottom only (VAE).
Tensor downsample(Context *ctx, Tensor x, const Layer *conv, size_t padding);

// x [B, C, h, w] -> [B, C, H, W]: each pixel doubled (or as often as H/h asks), then a 3x3 convolution
Tensor upsample(Context *ctx, Tensor x, size_t H, size_t W, const Layer *conv);
