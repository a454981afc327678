"""reference_exact.py - the exact denoiser beside torch: what `sculpt --exact` says at each step, said again from the formula

    python tests/reference_exact.py [PROGRAM]     (reference.py runs it, too; default: ./sculpt)

sculpt draws from a small folder of random latents and leaves a trace. At each of its steps the noise is worked out anew
in double precision: as a whole, by a softmax over the latents; through windows, by one over all patches (unfold) that see
the border alike. The numbers must be equal within BOUND, by relative L2, the worst of all steps.
"""

import os
import subprocess
import sys
import tempfile

import diffusers
import torch
from safetensors.torch import load_file, save_file

MODEL = "data/models/critters"
SIDE, CHANNELS, COUNT, STEPS = 16, 4, 24, 6
CASES = {"whole": (0, 0), "window 3": (3, 0), "window 5, 2 away": (5, 2), "window 3, anywhere": (3, 15)}
SCHEDULERS = {"ddim": [], "v_prediction": ["--scheduler-config", "prediction_type=v_prediction"]}
BOUND = 1e-5


def alike(window, reach):
    """[places, places]: which place of a latent may stand for which: moved along an axis only away from its borders"""
    half = window // 2
    at = torch.arange(SIDE)
    free = (at >= half) & (at < SIDE - half)
    shift = at[:, None] - at[None, :]
    axis = (shift == 0) | (free[:, None] & free[None, :] & (shift.abs() <= reach))
    return (axis[:, None, :, None] & axis[None, :, None, :]).reshape(SIDE * SIDE, SIDE * SIDE)


def patches(latents, window):
    """[n, 4, 16, 16] -> [n, places, 4 window^2], zeros beyond the border"""
    return torch.nn.functional.unfold(latents, window, padding=window // 2).transpose(1, 2)


def denoise(x, a, latents, window, reach):
    """x [4, 16, 16] -> the mean of what may lie under its noise"""
    if window == 0:
        distances = (x - a.sqrt() * latents).square().sum((1, 2, 3))
        return torch.einsum("n,nchw->chw", torch.softmax(-distances / (2 * (1 - a)), 0), latents)
    asked, known = patches(x[None], window)[0], a.sqrt() * patches(latents, window).flatten(0, 1)
    distances = (asked.square().sum(1)[:, None] + known.square().sum(1)[None] - 2 * asked @ known.T).clamp(min=0)
    distances = distances.masked_fill(~alike(window, reach).repeat(1, len(latents)), torch.inf)
    middles = latents.flatten(2).transpose(1, 2).flatten(0, 1)  # [n places, 4]
    return (torch.softmax(-distances / (2 * (1 - a)), 1) @ middles).T.reshape(CHANNELS, SIDE, SIDE)


def compare(program, latents, window, reach, options):
    """The worst relative L2 over the steps of a run"""
    with tempfile.TemporaryDirectory() as folder:
        save_file({"latents": latents}, f"{folder}/latents.safetensors")
        command = [program, "", "-m", MODEL, "--exact", "--exact-data", folder, "-s", str(STEPS), "-g", "1", "--seed", "1",
                   "--scheduler", "ddim", "-o", f"{folder}/picture.png", "--trace", f"{folder}/trace.safetensors", *options]  # fmt: skip
        command += ["--window", f"{window},{reach}"] if window else []
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        trace = load_file(f"{folder}/trace.safetensors")
    alphas_cumprod = diffusers.DDIMScheduler.from_pretrained(MODEL, subfolder="scheduler").alphas_cumprod.double()
    worst = 0.0
    for k, timestep in enumerate(trace["timesteps"].long()):
        x, a = trace[f"latents.{k}"].double(), alphas_cumprod[timestep]
        x0 = denoise(x, a, latents.double(), window, reach)
        noise = (x - a.sqrt() * x0) / (1 - a).sqrt()
        expected = a.sqrt() * noise - (1 - a).sqrt() * x0 if options else noise
        worst = max(worst, ((trace[f"noise_pred.{k}"] - expected).norm() / expected.norm()).item())
    return worst


def run(program):
    """How many cases passed, and how many failed"""
    passed = failed = 0
    latents = torch.randn(COUNT, CHANNELS, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    print(f"\n{'exact denoiser':<28} {'noise or v':>10}   bound {BOUND:.0e}")
    for scheduler, options in SCHEDULERS.items():
        for name, (window, reach) in CASES.items():
            figure, why = 1.0, ""
            try:
                figure = compare(program, latents, window, reach, options)
            except RuntimeError as error:
                why = f"\n    {error}"
            good = figure <= BOUND
            print(f"{'ok  ' if good else 'FAIL'} {name + ', ' + scheduler:<32} {figure:.1e}{why}", flush=True)
            passed, failed = passed + good, failed + (not good)
    return passed, failed


if __name__ == "__main__":
    passed, failed = run(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "./sculpt"))
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(failed > 0 or passed == 0)
