// replay.c - a step whose answer is known: back to any step of a run that was taken down, without the U-Net
//
// Where: in the place of run_step. Nearly all of a step's time is the U-Net's; with its answer at hand, from a
// StepRecord or a trace, the rest is a few additions a latent. So a run is brought to step k by beginning it anew and
// replaying k answers: the seed's noise is drawn again, draw for draw, and the scheduler's history fills as it did.
// Who wants to see what another prompt, guidance or scheduler had made of it goes on from there: run_change, run_step.
// Read next: pipeline.c, whose run_advance takes the step; copy.c for a run that is still at hand.

#include "run/run.h"

#include <string.h>

static bool usable(const Run *run, const StepAnswer *answer, Error *error) {
    size_t step = run->done + 1;
    bool guided = answer->noise_pred_uncond || answer->noise_pred_text;
    if (!answer->noise_pred || (guided && !(answer->noise_pred_uncond && answer->noise_pred_text))) {
        return error_set(error,
                         "replay: of the answer at step %zu a part is missing; give noise_pred, and both halves "
                         "of guidance or neither",
                         step);
    }
    bool finite = all_finite(answer->noise_pred, run->n);
    if (guided) {
        finite = finite && all_finite(answer->noise_pred_uncond, run->n) && all_finite(answer->noise_pred_text, run->n);
    }
    return finite || error_set(error, "replay: the answer at step %zu is not finite; record the run anew", step);
}

StepResult run_replay(Run *run, const StepAnswer *answer, Error *error) {
    if (run->next == run->scheduler->timestep_count) return STEP_NONE_LEFT;
    if (atomic_exchange(&run->stop, false)) return STEP_CANCELLED;
    if (!usable(run, answer, error)) return STEP_FAILED;

    StepWork work = {.rows = answer->noise_pred_uncond ? 2 : 1};
    size_t bytes = run->n * sizeof(float);
    if (work.rows == 2) {
        memcpy(run->model_output, answer->noise_pred_uncond, bytes);
        memcpy(run->model_output + run->n, answer->noise_pred_text, bytes);
    }
    memcpy(run->noise_pred, answer->noise_pred, bytes);
    run_advance(run, work);
    run->deep.age = (DeepAge){0};  // what is there is of an earlier step
    return STEP_DONE_ONE;
}
