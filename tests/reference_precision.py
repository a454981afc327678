"""reference_precision.py - how far bf16 goes from f32: the U-Net of `sculpt --precision bf16`, and torch's

    python tests/reference_precision.py [PROGRAM]     (reference.py runs it, too; default: ./sculpt)

sculpt draws a step in bf16 and leaves a trace. What its U-Net was given there, latents, timestep and text embeddings,
torch's U-Net gets, too, once as float32 and once as bfloat16; both sides' answers in bf16 are held against torch's in
float32, by relative L2. sculpt's must be no farther off than torch's. It rounds what it multiplies and nothing else,
where torch rounds everything that a layer hands to the next.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import diffusers
import torch
from safetensors.torch import load_file

MODELS = ["data/models/critters", "tests/golden/runs/sd1", "tests/golden/runs/sd2"]
PROMPT = "a pygmy hippo wearing sunglasses on the beach"
SEEDS = (1, 2, 3)
STEPS = 3  # of which the first sees noise alone, and the last hardly any


def draw_in_bf16(program, folder, seed):
    """The trace of a guided run"""
    with tempfile.TemporaryDirectory() as scratch:
        trace = pathlib.Path(scratch) / "trace.safetensors"
        command = [program, "draw", "-m", folder, "--precision", "bf16", "--scheduler", "ddim", "-s", str(STEPS), "-g", "4",
                   "--seed", str(seed), "-o", f"{scratch}/out.png", "--trace", str(trace), "--", PROMPT]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().split("\n")[-1])
        return load_file(trace)


def relative_l2(a, b):
    return float((a.double() - b.double()).norm() / b.double().norm())


def distances(unet, brain, trace, k):
    """How far step k's answers are from unet's: sculpt's, and brain's. DDIM shows the U-Net the latents as they are."""
    latents = trace[f"latents.{k}"].expand(2, -1, -1, -1)
    timestep, embeddings = trace["timesteps"][k], trace["text_embeddings"]
    ours = torch.stack([trace[f"noise_pred_uncond.{k}"], trace[f"noise_pred_text.{k}"]])
    exact = unet(latents, timestep, embeddings).sample
    theirs = brain(latents.bfloat16(), timestep, embeddings.bfloat16()).sample.float()
    return relative_l2(ours, exact), relative_l2(theirs, exact)


def run(program):
    """How many models passed, and how many failed"""
    passed = failed = 0
    print(f"\n{'bf16, U-Net against f32':<28} {'sculpt':>11} {'torch':>9}")
    for folder in MODELS:
        unet = diffusers.UNet2DConditionModel.from_pretrained(folder, subfolder="unet", torch_dtype=torch.float32)
        brain = diffusers.UNet2DConditionModel.from_pretrained(folder, subfolder="unet", torch_dtype=torch.bfloat16)
        with torch.no_grad():
            off = [distances(unet, brain, trace, k) for trace in (draw_in_bf16(program, folder, seed) for seed in SEEDS)
                   for k in range(STEPS)]  # fmt: skip
        ours, theirs = (max(column) for column in zip(*off))
        good = all(sculpt <= torchs for sculpt, torchs in off) and ours > 1e-5
        print(f"{'ok  ' if good else 'FAIL'} {folder:<23} {ours:11.1e} {theirs:9.1e}", flush=True)
        passed, failed = passed + good, failed + (not good)
    return passed, failed


if __name__ == "__main__":
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    passed, failed = run(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "./sculpt"))
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(failed > 0 or passed == 0)
