// test_family.c - which Stable Diffusion a model is: known ones, by what their configs say

#include "run/family.h"
#include "test.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What differs from Stable Diffusion 1.5; what isn't said is as there.
typedef struct Known {
    const char *name;  // of a model that people know
    size_t levels, layers_per_block, cross_attention_dim, in_channels, sample_size, time_cond_proj_dim;
    bool no_middle;
    const SchedulerKind *scheduler;
    PredictionType prediction_type;
    TimestepSpacing timestep_spacing;
    const char *key, *text;
    const char *advice;  // a part of it
} Known;

static const Known KNOWN[] = {
    {"stable-diffusion-v1-5", .key = "sd1", .text = "Stable Diffusion 1.x"},
    {"stable-diffusion-2-1-base", .cross_attention_dim = 1024, .key = "sd2-base", .text = "Stable Diffusion 2.x base"},
    {"stable-diffusion-2-1", .cross_attention_dim = 1024, .sample_size = 96, .prediction_type = PREDICTION_V,
     .scheduler = &ddim_kind, .key = "sd2-v", .text = "Stable Diffusion 2.x at 768, which predicts v"},
    {"sd-turbo", .cross_attention_dim = 1024, .scheduler = &euler_kind, .timestep_spacing = SPACING_TRAILING,
     .key = "sd-turbo", .text = "Stable Diffusion 2.x, taught to need one step (SD-Turbo)", .advice = "-s 1 -g 0"},
    {"LCM_Dreamshaper_v7", .time_cond_proj_dim = 256, .scheduler = &lcm_kind, .key = "sd1",
     .text = "Stable Diffusion 1.x, taught to guide by itself (LCM)", .advice = "-s 4"},
    {"small-sd", .layers_per_block = 1, .no_middle = true, .key = "sd1",
     .text = "Stable Diffusion 1.x, distilled: fewer layers, no middle"},
    {"bk-sdm-base", .layers_per_block = 1, .key = "sd1", .text = "Stable Diffusion 1.x, distilled: fewer layers"},
    {"bk-sdm-tiny", .levels = 3, .layers_per_block = 1, .no_middle = true, .key = "sd1",
     .text = "Stable Diffusion 1.x, distilled: fewer layers, no middle"},
    {"bk-sdm-v2-small", .layers_per_block = 1, .no_middle = true, .cross_attention_dim = 1024, .key = "sd2-base",
     .text = "Stable Diffusion 2.x base, distilled: fewer layers, no middle"},
    {"stable-diffusion-inpainting", .in_channels = 9, .key = "sd1", .text = "Stable Diffusion 1.x, for inpainting",
     .advice = "--mask"},
    {"somebody's own", .cross_attention_dim = 512, .levels = 2, .key = "other",
     .text = "a kind of its own: a U-Net of 320, 640 channels"},
};
enum { KNOWN_COUNT = sizeof KNOWN / sizeof *KNOWN };

static size_t or_else(size_t number, size_t otherwise) { return number ? number : otherwise; }

static UNetConfig unet_known(const Known *known) {
    UNetConfig unet = {.levels = or_else(known->levels, 4),
                       .block_out_channels = {320, 640, 1280, 1280},
                       .cross_attention_dim = or_else(known->cross_attention_dim, 768),
                       .in_channels = or_else(known->in_channels, 4),
                       .out_channels = 4,
                       .sample_size = or_else(known->sample_size, 64),
                       .time_cond_proj_dim = known->time_cond_proj_dim,
                       .mid_block_type = known->no_middle ? MID_BLOCK_NONE : MID_BLOCK_CROSS_ATTENTION};
    for (size_t i = 0; i < unet.levels; i++) unet.layers_per_block[i] = or_else(known->layers_per_block, 2);
    return unet;
}

static Family family_known(const Known *known, const UNetConfig *unet) {
    Error error = {0};
    const SchedulerKind *kind = known->scheduler ? known->scheduler : &pndm_kind;
    SchedulerConfig config = kind->defaults;
    config.prediction_type = known->prediction_type;
    config.timestep_spacing = known->timestep_spacing;
    Scheduler *scheduler = scheduler_new(kind, &config, &error);
    if (!scheduler) {
        printf("%s: %s\n", known->name, error.message);
        exit(1);
    }
    Family family = family_of(unet, scheduler);
    scheduler_free(scheduler);
    return family;
}

static void test_known_models(void) {
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        const Known *known = &KNOWN[i];
        UNetConfig unet = unet_known(known);
        Family family = family_known(known, &unet);
        EXPECT(strcmp(family.key, known->key) == 0, "%s is taken for %s", known->name, family.key);
        EXPECT(strcmp(family.text, known->text) == 0, "%s is called \"%s\"", known->name, family.text);
        EXPECT(family.inpainting == (known->in_channels == 9), "%s: inpainting %d", known->name, family.inpainting);
        EXPECT(family.lcm == (known->scheduler == &lcm_kind), "%s: lcm %d", known->name, family.lcm);
        EXPECT(family.distilled == (known->layers_per_block == 1), "%s: distilled %d", known->name, family.distilled);
        EXPECT(known->advice ? strstr(family.advice, known->advice) != NULL : *family.advice == '\0', "%s: \"%s\"",
               known->name, family.advice);
    }
}

// A scheduler makes a model of few steps, too: such as one into which an LCM's LoRA was merged.
static void test_a_scheduler_of_few_steps(void) {
    Known merged = {"merged", .scheduler = &lcm_kind};
    UNetConfig unet = unet_known(&merged);
    Family family = family_known(&merged, &unet);
    EXPECT(family.lcm && strcmp(family.text, "Stable Diffusion 1.x, for LCM's few steps") == 0, "\"%s\"", family.text);
}

static void test_a_long_text_is_cut(void) {
    Known many = {"many", .levels = UNET_MAX_LEVELS, .time_cond_proj_dim = 1, .in_channels = 9, .no_middle = true};
    UNetConfig unet = unet_known(&many);
    for (size_t i = 0; i < UNET_MAX_LEVELS; i++) unet.block_out_channels[i] = SIZE_MAX;
    Family family = family_known(&many, &unet);
    EXPECT(strlen(family.text) == sizeof family.text - 1, "%zu characters", strlen(family.text));
}

int main(void) {
    TEST(test_known_models);
    TEST(test_a_scheduler_of_few_steps);
    TEST(test_a_long_text_is_cut);
    return test_summary();
}
