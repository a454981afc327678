"""make_golden_runs_inpaint.py - runs of diffusers' StableDiffusionInpaintPipeline on small random models

    python tests/make_golden_runs_inpaint.py [folder]          (default: tests/golden)

Writes, under the folder, stages/unet_inpaint/, a U-Net of 9 input channels. All else that a model needs is that of
runs/sd1 (make_golden_runs.py comes first), whose own U-Net of 4 channels serves the other half of the runs; see
make_golden_families.py for how both come together. inpaint/golden.safetensors holds for each NAME

    NAME.latents [N + 1, 4, h, w]      before each step, and after the last
    NAME.image [H, W, 3]               as bytes; of some runs

What the runs are stands in RUNS below and, once more, in tests/parity/test_inpaint_parity.c, and so do the picture and
the mask that they begin with.
"""

import functools
import os
import shutil
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import diffusers
import numpy as np
import torch
import transformers
from diffusers import StableDiffusionInpaintPipeline, UNet2DConditionModel
from PIL import Image
from safetensors.torch import save_file

from make_golden_families import assemble
from make_golden_runs import NEGATIVE, PROMPT, scale_weights

WIDTH, HEIGHT = 20, 16  # not square, so that swapped axes show
SCHEDULERS = {"ddim": diffusers.DDIMScheduler, "euler": diffusers.EulerDiscreteScheduler,
              "euler_a": diffusers.EulerAncestralDiscreteScheduler, "ddpm": diffusers.DDPMScheduler,
              "kdpm2": diffusers.KDPM2DiscreteScheduler}  # fmt: skip

# name: U-Net's channels, scheduler, steps, guidance, strength, seed, whether the picture is kept
RUNS = {
    "seen_ddim": (9, "ddim", 5, 7.5, 1.0, 1, True),
    "seen_euler_a": (9, "euler_a", 6, 4.0, 0.5, 2, True),
    "seen_unguided": (9, "euler", 3, 1.0, 1.0, 3, False),
    "blended_ddim": (4, "ddim", 5, 7.5, 1.0, 4, True),
    "blended_euler": (4, "euler", 6, 1.0, 0.5, 5, True),
    "blended_ddpm": (4, "ddpm", 4, 4.0, 1.0, 6, False),
    "blended_kdpm2": (4, "kdpm2", 3, 4.0, 0.7, 7, False),
}


def init_image():
    """red from left to right, green from top to bottom, blue in stripes"""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    pixels = np.stack([x * 255 // (WIDTH - 1), y * 255 // (HEIGHT - 1), (x + y) % 16 * 17], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


def mask_image():
    """Larger than the run, and coloured: green and white are bright enough to be painted, red and blue aren't."""
    pixels = np.zeros((40, 50, 3), np.uint8)
    pixels[:] = (0, 0, 255)
    pixels[:20, 30:] = (255, 0, 0)
    pixels[10:35, 20:40] = (0, 255, 0)
    pixels[25:, :10] = (255, 255, 255)
    return Image.fromarray(pixels)


def build_unet(folder):
    torch.manual_seed(40)
    unet = UNet2DConditionModel(
        in_channels=9, sample_size=8, block_out_channels=(4,), layers_per_block=1, norm_num_groups=2,
        cross_attention_dim=16, down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",),
        attention_head_dim=2)  # fmt: skip
    scale_weights(unet, torch.Generator().manual_seed(41),
                  {"attn2.to_v": 3.0, "attn2.to_q": 1.5, "attn2.to_k": 1.5, "conv_out": 1.5})  # fmt: skip
    shutil.rmtree(folder, ignore_errors=True)
    unet.to(torch.float16).save_pretrained(folder)


def open_pipeline(root, channels, scheduler):
    with tempfile.TemporaryDirectory() as scratch:
        assemble(root, "inpaint", f"{scratch}/inpaint")
        folder = f"{scratch}/inpaint" if channels == 9 else f"{root}/runs/sd1"
        pipeline = StableDiffusionInpaintPipeline.from_pretrained(folder, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = SCHEDULERS[scheduler].from_config(pipeline.scheduler.config)
    return pipeline


def check_mask(pipeline):
    """Resizing may differ by 1 of 255 from one library to another: no pixel is near where greys are cut."""
    grey = pipeline.mask_processor.resize(mask_image(), HEIGHT, WIDTH).convert("L")
    assert not ((np.array(grey) > 120) & (np.array(grey) < 135)).any(), np.array(grey)


def draw(root, name):
    channels, scheduler, steps, guidance, strength, seed, keeps_image = RUNS[name]
    pipeline = open_pipeline(root, channels, scheduler)
    check_mask(pipeline)
    latents, step = [], pipeline.scheduler.step

    @functools.wraps(step)  # the pipeline looks at step's signature to find out what it takes
    def watched(model_output, timestep, sample, **options):
        if not latents:
            latents.append(sample[0])
        return step(model_output, timestep, sample, **options)

    def step_ended(_, k, timestep, tensors):
        latents.append(tensors["latents"][0])
        return {}

    pipeline.scheduler.step = watched
    image = pipeline(PROMPT, image=init_image(), mask_image=mask_image(), width=WIDTH, height=HEIGHT,
                     negative_prompt=NEGATIVE, num_inference_steps=steps, guidance_scale=guidance, strength=strength,
                     generator=torch.Generator().manual_seed(seed), output_type="np",
                     callback_on_step_end=step_ended).images[0]  # fmt: skip
    print(f"{name:14} {len(latents) - 1} steps, latents {latents[0].std():6.3f} .. {latents[-1].std():6.3f}  "
          f"picture {image.mean():.3f} +- {image.std():.3f}")  # fmt: skip
    out = {"latents": torch.stack(latents)}
    assert torch.isfinite(out["latents"]).all(), name
    return out | ({"image": torch.from_numpy((image * 255).round().astype(np.uint8))} if keeps_image else {})


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "golden")
    torch.set_num_threads(1)
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    build_unet(f"{root}/stages/unet_inpaint")
    with torch.no_grad():
        tensors = {f"{name}.{key}": value.contiguous() for name in RUNS for key, value in draw(root, name).items()}
    os.makedirs(f"{root}/inpaint", exist_ok=True)
    save_file(tensors, f"{root}/inpaint/golden.safetensors")


if __name__ == "__main__":
    main()
