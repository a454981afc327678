// family.h - which Stable Diffusion a model is, or what it was made of
//
// Nothing in a checkpoint says its name, and the pipeline doesn't need it: it reads sizes and settings. People do want to
// know, and these tell it.

#pragma once

#include "schedulers/scheduler.h"
#include "stages/unet.h"

typedef struct Family {
    const char *key;     // for programs: sd1, sd2-base, sd2-v, sd-turbo, other
    char text[256];      // for people: "Stable Diffusion 1.x, distilled: fewer layers, no middle"
    const char *advice;  // how it wants to be used, if not as usual: "1 to 4 steps without guidance: -s 1 -g 0"; or ""
    bool inpainting;     // takes a mask and the masked picture beside the latents
    bool lcm;            // a latent consistency model: few steps
    bool distilled;      // a smaller U-Net that was taught by the family's own
} Family;

// scheduler: the model's own.
Family family_of(const UNetConfig *unet, const Scheduler *scheduler);
