// inspection.h - what `sculpt inspect` has to tell, before it is put into words or JSON

#pragma once

#include "command/options.h"
#include "command/speed.h"
#include "run/family.h"
#include "sculpt.h"

enum { INSPECTED_STAGES = 3, INSPECTED_PICTURES = 2 };

typedef struct InspectedStage {
    const char *key, *title, *class_name;  // "unet", "U-Net", "UNet2DConditionModel"
    size_t parameters, weight_bytes;
    const size_t *stored;  // [FLOAT_TYPES]: how many are F32, F16, BF16 in the files
    size_t stored_bytes;
} InspectedStage;

typedef struct InspectedPicture {
    Settings settings;
    RunCost cost;
    double flops;    // text, encoding (of what inpainting paints into), all steps, one decode
    double seconds;  // estimated, and so is what follows
    double watt_hours, price, pictures_for_1000;
} InspectedPicture;

typedef struct Inspection {
    const Options *options;
    Model *model;
    Scheduler *scheduler;  // the model's own
    Family family;
    InspectedStage stages[INSPECTED_STAGES];
    InspectedPicture pictures[INSPECTED_PICTURES];  // the one that was asked for last
    size_t picture_count;
    size_t memory_free;
    int threads;
} Inspection;

bool inspection_open(Inspection *inspection, const Options *options, Error *error);
void inspection_close(Inspection *inspection);
