// suspects.c - everybody who may have done it, and what they are suspected of

#include "cases.h"

#include <string.h>

static const char *const SUSPECTS[][2] = {
    {"nobody", "Nothing is wrong with this run."},
    // words
    {"cut-prompt", "The prompt lost its end before it was read."},
    {"swapped-prompts", "The negative prompt was encoded as the prompt, and the prompt as the negative one."},
    {"clip-skip", "The text encoder's last layer was left out."},
    {"no-causal-mask", "In the text encoder words see the words behind them: the causal mask is missing."},
    // kernels
    {"attention-scale", "Attention doesn't divide its scores by sqrt(head width)."},
    {"conv-flip", "conv2d turns its kernels by half a turn."},
    {"layer-norm", "LayerNorm doesn't subtract the mean."},
    {"time-embedding", "In the time embedding, sines stand where cosines belong."},
    {"deep-cache", "Every other step takes the U-Net's deep features over from the step before."},
    // the start
    {"other-seed", "The first noise is that of another seed."},
    {"quiet-start", "The first latents weren't multiplied by init_noise_sigma."},
    {"no-offset", "steps_offset was ignored."},
    {"trailing", "The timesteps are spaced as timestep_spacing=trailing has them."},
    {"unscaled-encode", "The encoder's latents weren't multiplied by scaling_factor."},
    {"dark-pixels", "The encoder was given pixels in 0..1, and it wants -1..1."},
    {"first-level", "The picture got the noise of the schedule's first step, not of the one where it enters."},
    {"strength-kept", "strength was taken for the share to keep."},
    // the question and the answer
    {"loud-input", "The latents went into the U-Net as they are, without scale_model_input."},
    {"stuck-clock", "The U-Net is told the first timestep at every step."},
    {"late-clock", "The U-Net is always told the next step's timestep."},
    {"stale-answer", "At one step, one answer of the step before was handed in again."},
    // guidance
    {"swapped-rows", "Guidance took the two answers for each other: it starts from the prompt's."},
    {"from-text", "Guidance starts from the prompt's answer: text + g (text - uncond)."},
    {"scaled-noise", "guidance_scale multiplies the prompt's whole answer, not the difference."},
    {"int-guidance", "guidance_scale is kept as a whole number."},
    {"guidance-off", "Guidance is off: the prompt's answer is taken as it is."},
    // the step
    {"x0-by-a", "The guess was divided by a_t, not by sqrt(a_t)."},
    {"old-noise", "The old level's noise was put back, not the next one's."},
    {"no-noise", "No noise was put back."},
    {"next-stop", "The step goes to t - 1, not to the next stop."},
    {"reversed-stride", "One stride was taken backwards."},
    {"skipped-step", "One step wasn't taken: its latents were handed on as they were."},
    {"last-sigma", "The last stride doesn't end at sigma 0."},
    {"reseeded", "The generator is made anew in the loop: each step draws the same noise, that of the start."},
    {"no-fresh-noise", "The fresh noise is left out."},
    {"lost-history", "In the middle of the run the scheduler forgot what it had seen."},
    // the picture
    {"unscaled-decode", "The latents weren't divided by scaling_factor before the decoder."},
    {"bgr", "Who wrote the picture took its channels for blue, green, red."},
};

const char *suspect_sentence(const char *name) {
    for (size_t i = 0; i < sizeof SUSPECTS / sizeof *SUSPECTS; i++) {
        if (strcmp(SUSPECTS[i][0], name) == 0) return SUSPECTS[i][1];
    }
    return NULL;
}
