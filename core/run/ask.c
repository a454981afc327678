// ask.c - another question about the same latents: what would the U-Net say here to other words?
//
// Where: between two steps, for people who look; no picture comes of it. Guidance asks with the negative prompt and with
// the prompt, and goes by the difference; here anyone asks with any prompt, and looks at the difference.
// Read next: deletion.c, which asks with a word left out; pipeline.c for run_ask_unet.

#include "run/run.h"

#include <string.h>

// One row of embeddings, made as the run's own were. Without guidance nobody reads a negative prompt.
static bool read_prompt(Run *run, const char *prompt, Prompts *prompts, Error *error) {
    Settings settings = run->settings;
    settings.prompt = prompt;
    settings.negative_prompt = "";
    settings.guidance_scale = 1;
    return prompts_encode(prompts, &run->ctx, run->model, &settings, error);
}

// Of the prompts the last row, which is the prompt
static bool ask(Run *run, const Prompts *prompts, float *answer, Error *error) {
    Scope scope = scope_open(&run->ctx.arena);
    Tensor said = run_ask_unet(run, prompts, 1, tensor_absent(), false);  // [1, 4, h, w]
    bool ok = !context_stopped(&run->ctx) || error_set(error, "cancelled");
    if (ok && !all_finite(tensor_f32(said), run->n)) {
        ok = error_set(error, "ask: the U-Net's answer is not finite; try other kernels, or check the weights");
    }
    if (ok) memcpy(answer, tensor_f32(said), run->n * sizeof *answer);
    scope_close(&run->ctx.arena, &scope);
    return ok;
}

bool run_ask(Run *run, const char *prompt, float *answer, Error *error) {
    if (run->next == run->scheduler->timestep_count) {
        return error_set(error, "ask: the run is finished and has no timestep left; ask before its last step");
    }
    Prompts other = {0};
    bool ok = !prompt || read_prompt(run, prompt, &other, error);
    if (ok) ok = ask(run, prompt ? &other : &run->prompts, answer, error);
    prompts_free(&other);
    if (atomic_exchange(&run->stop, false) && ok) ok = error_set(error, "cancelled");
    return ok;
}
