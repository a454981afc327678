// family.c - see family.h
//
// What tells them apart is how they were made. Stable Diffusion 1.x reads CLIP's vectors of 768 numbers, 2.x OpenCLIP's
// of 1024, and both have a U-Net that begins with 320 channels; whoever makes another one seldom keeps these. The rest
// stands in the settings: what the network predicts, at which timesteps it wants to be asked, what goes into it.

#include "run/family.h"

#include <stdio.h>
#include <string.h>

static bool is_distilled(const UNetConfig *unet) {
    bool fewer_layers = false;
    for (size_t i = 0; i < unet->levels; i++) fewer_layers = fewer_layers || unet->layers_per_block[i] < 2;
    return unet->levels < 4 || fewer_layers || unet->mid_block_type != MID_BLOCK_CROSS_ATTENTION;
}

static void add_text(Family *family, const char *text) {
    size_t used = strlen(family->text);
    snprintf(family->text + used, sizeof family->text - used, "%s", text);
}

// "320, 640, 1280"
static void add_channels(Family *family, const UNetConfig *unet) {
    for (size_t i = 0; i < unet->levels; i++) {
        char number[32];
        snprintf(number, sizeof number, "%s%zu", i ? ", " : "", unet->block_out_channels[i]);
        add_text(family, number);
    }
}

// Stable Diffusion 2.x in one of its forms
static void name_sd2(Family *family, const UNetConfig *unet, const SchedulerConfig *scheduler) {
    bool predicts_v = scheduler->prediction_type == PREDICTION_V;
    family->key = predicts_v ? "sd2-v" : "sd2-base";
    add_text(family, "Stable Diffusion 2.x");
    if (!predicts_v && scheduler->timestep_spacing == SPACING_TRAILING) {
        family->key = "sd-turbo";
        family->advice = "1 to 4 steps without guidance: -s 1 -g 0";
        add_text(family, ", taught to need one step (SD-Turbo)");
    } else if (!predicts_v) {
        add_text(family, " base");
    } else if (unet->sample_size == 96) {
        add_text(family, " at 768");
    }
}

Family family_of(const UNetConfig *unet, const Scheduler *scheduler) {
    Family family = {.key = "other", .advice = ""};
    bool sd_width = unet->block_out_channels[0] == 320, predicts_v = scheduler->config.prediction_type == PREDICTION_V;
    if (sd_width && unet->cross_attention_dim == 768) {
        family.key = "sd1";
        add_text(&family, "Stable Diffusion 1.x");
    } else if (sd_width && unet->cross_attention_dim == 1024) {
        name_sd2(&family, unet, &scheduler->config);
    } else {
        add_text(&family, "a kind of its own: a U-Net of ");
        add_channels(&family, unet);
        add_text(&family, " channels");
    }
    if (predicts_v) add_text(&family, ", which predicts v");

    family.inpainting = unet->in_channels > unet->out_channels;
    if (family.inpainting) {
        add_text(&family, ", for inpainting");
        family.advice = "paints into a picture, where a mask says: --init IMAGE.png --mask MASK.png";
    }
    family.lcm = unet->time_cond_proj_dim > 0 || scheduler->kind == &lcm_kind;
    if (family.lcm) {
        add_text(&family, unet->time_cond_proj_dim > 0 ? ", taught to guide by itself (LCM)" : ", for LCM's few steps");
        family.advice = "2 to 8 steps: -s 4";
    }
    family.distilled = strcmp(family.key, "other") != 0 && is_distilled(unet);
    if (family.distilled) add_text(&family, ", distilled: fewer layers");
    if (unet->mid_block_type == MID_BLOCK_NONE) add_text(&family, ", no middle");
    return family;
}
