// preview.h - a small picture of any latents, nearly free

#pragma once

#include "stages/vae.h"

// Fits rgb (0..1) = latents (4) times latent_rgb[0..3] + latent_rgb[4] to what this VAE's encoder does with flat
// colours.
bool preview_fit(const Vae *vae, float latent_rgb[5][3], Error *error);
