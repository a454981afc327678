// cases.c - the twenty cases. SPOILERS
//
// Every innocent in a list can be told from the guilty one by what stands in the trace. tests/lessons/test_whodunit.sh
// proves that each place is the first that is wrong.

#include "cases.h"

#include "base/text.h"
#include "faults.h"

#define HIPPO "a pygmy hippo wearing sunglasses on the beach"

const Case CASES[CASE_COUNT] = {
    {.title = "For practice: an honest run",
     .complaint = "\"I don't like it, so something must be wrong with it.\"",
     .prompt = HIPPO,
     .scheduler = "ddim",
     .seed = 1,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"swapped-rows", "old-noise", "unscaled-decode"},
     .guilty = "nobody",
     .fault = &no_fault,
     .explanation = "Nothing is wrong here: every look says \"follows\". accuse nobody closes the case."},

    {.title = "The blue cat",
     .complaint = "\"Red, I said. It doesn't know its colours!\"",
     .prompt = "a red cat wearing a party hat on the beach",
     .scheduler = "ddim",
     .seed = 5,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"cut-prompt", "attention-scale", "bgr", "other-seed", "swapped-rows"},
     .guilty = "bgr",
     .place = {IMAGE, 0},
     .fault = &bgr,
     .explanation = "Every guess shows a red cat; then red and blue changed places. OpenCV reads and writes blue "
                    "first, nearly all others red first. When only the last tensor is wrong, no network is to blame.",
     .lesson = 8},

    {.title = "Everything but the cat",
     .complaint = "\"I asked for a cat with a crown. Whatever this is, it is none.\"",
     .prompt = "a red cat wearing a crown, at night",
     .scheduler = "ddim",
     .seed = 3,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"cut-prompt", "from-text", "scaled-noise", "swapped-rows", "swapped-prompts"},
     .guilty = "swapped-rows",
     .place = {NOISE_PRED, 0},
     .fault = &swapped_rows,
     .explanation =
         "Guidance walks from the answer without words towards the one with them, and beyond. With the two taken for "
         "each other it flees from the prompt: text + g (uncond - text), which lies at 1 - g on the line.",
     .lesson = 6},

    {.title = "The cat that has lost its crown",
     .complaint = "\"A cat, yes, and it is red. I had said more than that.\"",
     .prompt = "a red cat wearing a crown, at night",
     .scheduler = "ddim",
     .seed = 3,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"clip-skip", "cut-prompt", "guidance-off", "other-seed", "swapped-prompts"},
     .guilty = "cut-prompt",
     .place = {INPUT_IDS, 0},
     .fault = &cut_prompt,
     .explanation =
         "The ids end where the first words end: the text encoder never heard of crown and night. All that follows is "
         "right, for another prompt. A prompt that is too long loses its end in the same way, without a word.",
     .lesson = 10},

    {.title = "Seen through fog",
     .complaint = "\"Everything is there. But who has put milk into it?\"",
     .prompt = "a green frog wearing a top hat in the forest",
     .scheduler = "ddim",
     .seed = 2,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"guidance-off", "quiet-start", "bgr", "no-noise", "unscaled-decode"},
     .guilty = "unscaled-decode",
     .place = {IMAGE, 0},
     .fault = &unscaled_decode,
     .explanation = "The U-Net's latents have a deviation of about 1, the VAE's own ones don't: scaling_factor is the "
                    "ratio. Without the division the decoder gets half of what it expects, which it takes for a "
                    "picture of little contrast. With Stable Diffusion's 0.18215 nothing but grey would be left.",
     .lesson = 8},

    {.title = "Glaring",
     .complaint = "\"My eyes! And all guesses are one and the same.\"",
     .prompt = "a fox in the snow",
     .scheduler = "ddim",
     .seed = 4,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"scaled-noise", "unscaled-decode", "old-noise", "x0-by-a", "loud-input"},
     .guilty = "x0-by-a",
     .place = {PRED_ORIGINAL_SAMPLE, 0},
     .fault = &x0_by_a,
     .explanation = "x_t = sqrt(a) x0 + sqrt(1 - a) noise, so what is left without the noise is divided by sqrt(a). At "
                    "the first step sqrt(a) is under 0.2: divided by a, the guess is several times too large.",
     .lesson = 4},

    {.title = "The snow storm that never ends",
     .complaint = "\"The guesses were getting better, and then they weren't.\"",
     .prompt = "a penguin wearing a scarf in the snow",
     .scheduler = "ddim",
     .seed = 6,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"next-stop", "no-noise", "skipped-step", "x0-by-a", "old-noise"},
     .guilty = "old-noise",
     .place = {LATENTS, 1},
     .fault = &old_noise,
     .explanation = "The guess is mixed with noise again for the next stop: sqrt(a_prev) of the picture, sqrt(1 - "
                    "a_prev) of the noise. Here the picture's share was the next one's and the noise's still the old "
                    "one's. Going to t - 1 would have left both as they were.",
     .lesson = 4},

    {.title = "Upside down",
     .complaint = "\"Well, it is a bear. Mostly.\"",
     .prompt = "a brown bear wearing a bow tie in the forest",
     .scheduler = "ddim",
     .seed = 9,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"attention-scale", "time-embedding", "conv-flip", "layer-norm", "stuck-clock"},
     .guilty = "conv-flip",
     .place = {NOISE_PRED_UNCOND, 0},
     .fault = &conv_flip,
     .explanation = "A mathematician's convolution turns the kernel by half a turn, a network's doesn't. The text "
                    "encoder has no convolution and is right; the decoder has, and stands everything on its head. "
                    "Which networks fail says which kernel it is.",
     .lesson = 14},

    {.title = "Nobody listens to one another",
     .complaint = "\"I can't even tell which word it got wrong.\"",
     .prompt = "a purple rabbit wearing round glasses in the city",
     .scheduler = "ddim",
     .seed = 8,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"no-causal-mask", "layer-norm", "cut-prompt", "attention-scale", "clip-skip"},
     .guilty = "attention-scale",
     .place = {TEXT_EMBEDDINGS, 0},
     .fault = &attention_scale,
     .explanation =
         "Scores are sums of d products and grow with sqrt(d). Without the division softmax takes the largest and "
         "forgets the rest. Three networks have attention, and none of the three answers follows; the decoder has no "
         "LayerNorm, and faults of the text encoder alone would leave the others in peace.",
     .lesson = 15},

    {.title = "Too loud to be understood",
     .complaint = "\"It began with confetti. It has come right in the end, but what was that?\"",
     .prompt = "an owl wearing a flower, at night",
     .scheduler = "euler",
     .seed = 7,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"stuck-clock", "layer-norm", "loud-input", "time-embedding", "quiet-start"},
     .guilty = "loud-input",
     .place = {NOISE_PRED_UNCOND, 0},
     .fault = &loud_input,
     .explanation = "The U-Net was trained on latents of deviation 1. Euler's are larger by sqrt(1 + sigma^2), and "
                    "scale_model_input divides by that. At the last step sigma is almost 0 and the division changes "
                    "nothing: there the answer is right again, which no fault inside the U-Net would manage.",
     .lesson = 5},

    {.title = "Five past eight, all day long",
     .complaint = "\"It began so well, and then it must have fallen asleep.\"",
     .prompt = "a lion wearing a crown in the desert",
     .scheduler = "ddim",
     .seed = 11,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"late-clock", "deep-cache", "stuck-clock", "loud-input", "time-embedding"},
     .guilty = "stuck-clock",
     .place = {NOISE_PRED_UNCOND, 1},
     .fault = &stuck_clock,
     .explanation =
         "The timesteps in the trace are right, and so is the first answer; from then on the U-Net is told that there "
         "is still as much noise as at first, and takes away what isn't any. A wrong time embedding would be wrong at "
         "once, and deep features from the step before only at every other step.",
     .lesson = 11},

    {.title = "Only the drawing was heard",
     .complaint = "\"I gave it a drawing and asked for a crown. Here is my drawing back.\"",
     .prompt = "a pink pig wearing a crown on the beach",
     .scheduler = "ddim",
     .seed = 10,
     .steps = 10,
     .guidance_scale = 4,
     .init = "a pink pig on the beach",
     .strength = 0.6f,
     .suspects = {"dark-pixels", "strength-kept", "first-level", "other-seed", "unscaled-encode"},
     .guilty = "unscaled-encode",
     .place = {LATENTS, 0},
     .fault = &unscaled_encode,
     .explanation = "The encoder's latents are larger than the U-Net's: they have to be multiplied by scaling_factor "
                    "before noise is laid over them. The noise is right here and the picture under it too strong to be "
                    "changed. Dark pixels would make it weaker, and of the first step's noise there would be more.",
     .lesson = 9},

    {.title = "One step forward, one step back",
     .complaint = "\"The guesses were coming along. Then somebody wanted the chaos back.\"",
     .prompt = "a grey mouse wearing sunglasses in space",
     .scheduler = "euler",
     .seed = 13,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"skipped-step", "old-noise", "reversed-stride", "stale-answer", "loud-input"},
     .guilty = "reversed-stride",
     .place = {LATENTS, 4},
     .fault = &reversed_stride,
     .explanation =
         "sigma_next - sigma is negative, since sigma falls. At one step somebody had it the other way round, and the "
         "noise grew where it should have shrunk. A step that isn't taken would have left it as it was.",
     .lesson = 5},

    {.title = "The city of spots",
     .complaint = "\"Each time I think that it is done, the same spots come through again.\"",
     .prompt = "a blue dog wearing a beanie in the city",
     .scheduler = "euler_a",
     .seed = 12,
     .steps = 8,
     .guidance_scale = 7.5f,
     .suspects = {"no-fresh-noise", "other-seed", "last-sigma", "reseeded", "skipped-step"},
     .guilty = "reseeded",
     .place = {LATENTS, 1},
     .fault = &reseeded,
     .explanation = "An ancestral step takes more noise away than it should and puts fresh noise in its place. A "
                    "generator that is made inside the loop, manual_seed(seed), gives the start's noise each time: it "
                    "adds up, and what adds up looks like more noise than there should be.",
     .lesson = 5},

    {.title = "One hippo for all",
     .complaint = "\"Seed 1, seed 2, seed 3: always this hippo, or its twin. What do I have seeds for?\"",
     .prompt = HIPPO,
     .scheduler = "euler",
     .seed = 1,
     .steps = 6,
     .guidance_scale = 3,
     .suspects = {"other-seed", "unscaled-decode", "quiet-start", "swapped-rows", "loud-input"},
     .guilty = "quiet-start",
     .place = {LATENTS, 0},
     .fault = &quiet_start,
     .explanation = "Euler's latents are the picture plus sigma times noise, and sigma begins far above 1. The seed "
                    "gives noise of deviation 1, and somebody forgot to multiply it by init_noise_sigma. To the U-Net "
                    "that is a flat grey picture with hardly any noise: it makes much the same of all of them.",
     .lesson = 5},

    {.title = "A little sand",
     .complaint = "\"It is nice. But is that the paper, or my glasses?\"",
     .prompt = "a white rabbit wearing a scarf on the beach",
     .scheduler = "euler",
     .seed = 14,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"unscaled-decode", "last-sigma", "reversed-stride", "no-offset", "stale-answer"},
     .guilty = "last-sigma",
     .place = {LATENTS, 6},
     .fault = &last_sigma,
     .explanation = "The list of sigmas has one more entry than there are steps, and it is 0: the last stride ends at "
                    "the guess itself. Here a little noise was left in it.",
     .lesson = 5},

    {.title = "A tick too early",
     .complaint = "\"Fine. Only, my colleague's isn't quite the same, with the same seed and all.\"",
     .prompt = HIPPO,
     .scheduler = "ddim",
     .seed = 1,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"stuck-clock", "no-offset", "trailing", "int-guidance", "other-seed"},
     .guilty = "no-offset",
     .place = {TIMESTEPS, 0},
     .fault = &no_offset,
     .explanation = "With steps_offset 1, which Stable Diffusion wants, the last timestep is 1; without it all are one "
                    "smaller. That is a thousandth of the way: nobody sees it, and no number is the same.",
     .lesson = 4},

    {.title = "A matter of taste",
     .complaint = "\"I turned guidance up by a half, and nothing has changed. Nothing at all.\"",
     .prompt = "an orange cat wearing an eye patch in the forest",
     .negative_prompt = "in the snow",
     .scheduler = "ddim",
     .seed = 15,
     .steps = 6,
     .guidance_scale = 7.5f,
     .suspects = {"guidance-off", "clip-skip", "scaled-noise", "from-text", "int-guidance"},
     .guilty = "int-guidance",
     .place = {NOISE_PRED, 0},
     .fault = &int_guidance,
     .explanation =
         "On the line from one answer to the other, it stands at 7, and 7.5 was asked for: somebody's g is an int.",
     .lesson = 6},

    {.title = "The thrifty painter",
     .complaint = "\"Half the price, he said, and you won't see a difference. I want to know what he has left out.\"",
     .prompt = "a penguin wearing a top hat in the snow",
     .scheduler = "ddim",
     .seed = 16,
     .steps = 8,
     .guidance_scale = 4,
     .suspects = {"stuck-clock", "stale-answer", "deep-cache", "late-clock", "layer-norm"},
     .guilty = "deep-cache",
     .place = {NOISE_PRED_UNCOND, 1},
     .fault = &deep_cache,
     .explanation =
         "Steps 1, 3, 5 and 7 don't follow, 0, 2, 4 and 6 do: of two calls one is whole, and the other takes its deep "
         "features over (DeepCache). It isn't a mistake where it was asked for, with --deep-cache 2.",
     .lesson = 13},

    {.title = "A lapse of memory",
     .complaint = "\"It is good. He painted it better yesterday, that is all.\"",
     .prompt = "a black cat wearing a bow tie, at night",
     .scheduler = "dpmpp_2m",
     .seed = 17,
     .steps = 8,
     .guidance_scale = 4,
     .suspects = {"last-sigma", "reversed-stride", "skipped-step", "lost-history", "no-offset"},
     .guilty = "lost-history",
     .place = {LATENTS, 4},
     .fault = &lost_history,
     .explanation = "DPM++ 2M draws a line through its last two guesses to see where the next will be. At step 3 it "
                    "had forgotten the one before and took a plain step: not wrong, only shorter-sighted.",
     .lesson = 5},

    {.title = "Said twice",
     .complaint = "\"I can find nothing wrong. That is why I came to you.\"",
     .prompt = "a fox wearing sunglasses in the desert",
     .negative_prompt = "at night",
     .scheduler = "ddim",
     .seed = 18,
     .steps = 8,
     .guidance_scale = 4,
     .suspects = {"deep-cache", "lost-history", "stuck-clock", "guidance-off", "stale-answer"},
     .guilty = "stale-answer",
     .place = {NOISE_PRED_TEXT, 4},
     .fault = &stale_answer,
     .explanation =
         "noise_pred_text 4 is noise_pred_text 3, number by number; the other answer was asked for anew. A buffer that "
         "wasn't written again. Neighbouring steps' answers are so alike that the picture forgives it.",
     .lesson = 11},
};

size_t case_steps(const Case *c) { return c->init ? (size_t)((double)c->steps * as_written(c->strength)) : c->steps; }
