// latent_maps.h - what the U-Net works on, as it is: four channels of numbers
//
// Where: asked for by the stage's panels, which keep the answer in Viewer: it is made anew only for another step, kind
// or theme.

#pragma once

#include "state/branch.h"

typedef struct LatentMaps {
    int branch;  // what they are of
    size_t k;
    PictureKind kind;
    bool dark;
    Picture maps[LATENT_CHANNELS];                      // id 0: there are none
    float low[LATENT_CHANNELS], high[LATENT_CHANNELS];  // the least and the greatest of the channel
    float range;                                        // the largest of all in size: the palette's ends
} LatentMaps;

// Fills maps for step k's numbers of this kind unless they are there already. False if there are no such numbers.
bool latent_maps_of(LatentMaps *maps, const Branch *branch, size_t k, PictureKind kind, const Theme *theme);
void latent_maps_free(LatentMaps *maps);

// Root of the mean square
float numbers_rms(StepNumbers of, size_t n);
