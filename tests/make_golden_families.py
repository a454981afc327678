"""make_golden_families.py - small models of Stable Diffusion's family, and what diffusers computes with them

    python tests/make_golden_families.py [folder]              (default: tests/golden)

Writes, under the folder,

    stages/unet_lcm/     a U-Net that was taught to guide: time_cond_proj_dim; its middle is one ResNet block
    stages/unet_no_mid/  one without a middle, as distilled ones are, with attention in its innermost level
    stages/vae_tiny/     an AutoencoderTiny
    families/            a scheduler's config for each of the families below, and golden.safetensors with whole runs

in the manner of make_golden.py and make_golden_runs.py. A family is a whole model: one of the two of
make_golden_runs.py with other parts in it. assemble() puts them together for diffusers here, for reference.py, and
tests/parity/test_families_parity.c does the same for us. golden.safetensors holds for each run

    NAME.timesteps [N]     NAME.latents [N + 1, 4, h, w]     NAME.image [3, H, W], 0..255, as half floats
"""

import functools
import json
import math
import os
import shutil
import sys
import tempfile
import warnings

import make_golden
import make_golden_runs
import numpy as np
import torch
import transformers
from diffusers import (AutoencoderTiny, StableDiffusionImg2ImgPipeline, StableDiffusionPipeline,
                       UNet2DConditionModel)  # fmt: skip
from diffusers.utils.logging import disable_progress_bar
from PIL import Image
from safetensors.torch import save_file

# The scheduler_config.json of LCM_Dreamshaper_v7 and of SD-Turbo, less what their classes don't look at
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
SCHEDULERS = {
    "lcm": {"_class_name": "LCMScheduler", **BETAS, "clip_sample": False, "set_alpha_to_one": True, "steps_offset": 0,
            "original_inference_steps": 50, "prediction_type": "epsilon", "timestep_scaling": 10.0,
            "timestep_spacing": "leading", "thresholding": False, "rescale_betas_zero_snr": False},
    "turbo": {"_class_name": "EulerDiscreteScheduler", **BETAS, "clip_sample": False, "interpolation_type": "linear",
              "prediction_type": "epsilon", "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1,
              "timestep_spacing": "trailing", "timestep_type": "discrete", "use_karras_sigmas": False},
}  # fmt: skip

# name: the model of make_golden_runs.py, and which of its parts are others
FAMILIES = {
    "lcm": ("sd1", {"unet": "unet_lcm", "scheduler": "lcm"}),
    "lcm_tiny": ("sd1", {"unet": "unet_lcm", "scheduler": "lcm", "vae": "vae_tiny"}),
    "distilled": ("sd1", {"unet": "unet_no_mid"}),
    "turbo": ("sd2", {"scheduler": "turbo"}),
    "tiny": ("sd1", {"vae": "vae_tiny"}),
    "inpaint": ("sd1", {"unet": "unet_inpaint"}),  # made by make_golden_runs_inpaint.py
}

# name: family, steps, guidance, seed, strength. The same in tests/parity/test_families_parity.c
RUNS = {
    "lcm": ("lcm", 4, 8.5, 1, None),
    "lcm_quiet": ("lcm", 2, 1.0, 2, None),
    "lcm_img2img": ("lcm_tiny", 6, 5.3, 3, 0.5),
    "distilled": ("distilled", 4, 7.5, 4, None),
    "turbo_1": ("turbo", 1, 0.0, 5, None),
    "turbo_2": ("turbo", 2, 0.0, 6, None),
    "turbo_4": ("turbo", 4, 0.0, 7, None),
    "tiny_img2img": ("tiny", 4, 7.5, 8, 0.5),
}
PICTURES = ("lcm_img2img", "tiny_img2img")  # the others' are made by a VAE that has goldens already
WIDTH, HEIGHT = 16, 24

# ---- stages ----------------------------------------------------------------------------------------------------------


def unets(root):
    small = dict(sample_size=8, layers_per_block=1, norm_num_groups=2, attention_head_dim=2, cross_attention_dim=16)
    make_golden.unet(root, "unet_no_mid", 31, dict(**small, block_out_channels=(4, 4), mid_block_type=None,
                                                   down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
                                                   up_block_types=("UpBlock2D", "UpBlock2D")),
                     [(1, 6, 4, 5, 421), (2, 5, 3, 4, [999, 3])])  # fmt: skip

    make_golden.OUTPUTS.append((r"cond_proj$", 1, 0.7))
    generator = torch.Generator().manual_seed(32)
    # An odd width: the last of its numbers is 0.
    model = UNet2DConditionModel(**small, block_out_channels=(4,), down_block_types=("DownBlock2D",),
                                 up_block_types=("CrossAttnUpBlock2D",), mid_block_type="UNetMidBlock2D",
                                 time_cond_proj_dim=9).eval()  # fmt: skip
    make_golden.draw_weights(model, generator, torch.float16)
    watch, golden = make_golden.Watch(model), {}
    for k, (batch, height, width, timestep, scales) in enumerate([(1, 6, 4, 999, [8.5]), (2, 3, 5, 259, [1.0, 2.3])]):
        latents = torch.randn(batch, 4, height, width, generator=generator)
        text = torch.randn(batch, 5, 16, generator=generator)
        timesteps, guidance = torch.full((batch,), float(timestep)), torch.tensor([scale - 1 for scale in scales])
        condition = StableDiffusionPipeline.get_guidance_scale_embedding(None, guidance, embedding_dim=9)
        noise_pred = model(latents.double(), timesteps, text.double(), timestep_cond=condition.double()).sample
        golden |= {f"latents.{k}": latents, f"text_embeddings.{k}": text, f"timesteps.{k}": timesteps,
                   f"guidance.{k}": guidance, f"noise_pred.{k}": noise_pred}  # fmt: skip
    watch.finish("unet_lcm")
    make_golden.save(model, f"{root}/unet_lcm", golden, torch.float16)


def tiny_vae(root):
    """Three levels, a factor of 4, as the VAE of make_golden_runs.py has it; another width a half, a level without
    blocks. There are no norms here that would forgive weights of another size: the gains keep latents about 1, some of
    them in the bend of the tanh, and pictures between 0 and 1."""
    generator = torch.Generator().manual_seed(33)
    model = AutoencoderTiny(encoder_block_out_channels=(4,) * 3, decoder_block_out_channels=(6,) * 3,
                            num_encoder_blocks=(1, 0, 2), num_decoder_blocks=(2, 0, 1)).eval()  # fmt: skip
    ends = {"encoder.layers.6": 8.0, "decoder.layers.9": 0.3}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            gain = ends.get(name, 1.2)
            module.weight.data = torch.randn(module.weight.shape, generator=generator) * gain / math.sqrt(
                module.weight[0].numel())
            if module.bias is not None:
                module.bias.data = 0.2 * torch.randn(module.bias.shape, generator=generator)
                if name == "decoder.layers.9":
                    module.bias.data += 0.5
    for parameter in model.parameters():
        parameter.data = parameter.data.half().double()
    golden = {}
    for k, (batch, height, width) in enumerate([(1, 8, 12), (2, 8, 4)]):
        pixels = torch.rand(batch, 3, height, width, generator=generator) * 2 - 1
        latents = 1.5 * torch.randn(batch, 4, height // 4, width // 4, generator=generator)
        encoded, decoded = model.encode(pixels.double()).latents, model.decode(latents.double()).sample
        print(f"vae_tiny: encoded {encoded.mean():.2f} +- {encoded.std():.2f}, decoded {decoded.mean():.2f} "
              f"+- {decoded.std():.2f}")  # fmt: skip
        golden |= {f"pixels.{k}": pixels, f"encoded.{k}": encoded, f"latents.{k}": latents, f"decoded.{k}": decoded}
    make_golden.save(model, f"{root}/vae_tiny", golden, torch.float16)


# ---- families --------------------------------------------------------------------------------------------------------


def assemble(root, family, folder):
    """One family as a folder that diffusers opens. root: where stages/, runs/ and families/ are."""
    base, parts = FAMILIES[family]
    shutil.copytree(f"{root}/runs/{base}", folder)
    index = json.load(open(f"{folder}/model_index.json"))
    for part, name in parts.items():
        source = f"{root}/families/{name}" if part == "scheduler" else f"{root}/stages/{name}"
        shutil.rmtree(f"{folder}/{part}")
        shutil.copytree(source, f"{folder}/{part}", ignore=shutil.ignore_patterns("golden.safetensors"))
        config = "scheduler_config.json" if part == "scheduler" else "config.json"
        index[part] = ["diffusers", json.load(open(f"{source}/{config}"))["_class_name"]]
    json.dump(index, open(f"{folder}/model_index.json", "w"), indent=2)


def init_image():
    """red from left to right, green from top to bottom, blue in stripes"""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return Image.fromarray(np.stack([x * 17, y * 11, (x + y) % 8 * 36], axis=-1).astype(np.uint8))


def watch(scheduler):
    """The latents before each step and after the last, and the timesteps, as they come to be."""
    latents, timesteps, step = [], [], scheduler.step

    @functools.wraps(step)  # the pipeline looks at step's signature to find out whether it takes eta
    def watched(model_output, timestep, sample, **options):
        out = step(model_output, timestep, sample, **options)
        timesteps.append(float(timestep))
        latents[len(timesteps) - 1 :] = [sample[0], out[0][0]]
        return out

    scheduler.step = watched
    return latents, timesteps


def draw(root, name):
    family, steps, guidance, seed, strength = RUNS[name]
    kind = StableDiffusionImg2ImgPipeline if strength else StableDiffusionPipeline
    with tempfile.TemporaryDirectory() as scratch:
        assemble(root, family, f"{scratch}/model")
        pipeline = kind.from_pretrained(f"{scratch}/model", safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    latents, timesteps = watch(pipeline.scheduler)
    size = dict(image=init_image(), strength=strength) if strength else dict(width=WIDTH, height=HEIGHT)
    image = pipeline(make_golden_runs.PROMPT, negative_prompt=make_golden_runs.NEGATIVE, num_inference_steps=steps,
                     guidance_scale=guidance, output_type="pt", generator=torch.Generator().manual_seed(seed),
                     **size).images[0]  # fmt: skip
    saturated = ((image == 0) | (image == 1)).float().mean()
    print(f"{name:14} latents {latents[0].std():7.3f} to {latents[-1].std():7.3f}  picture {image.mean():.3f} +- "
          f"{image.std():.3f}, {saturated:.0%} at its ends")  # fmt: skip
    assert torch.isfinite(latents[-1]).all() and (name not in PICTURES or saturated < 0.3), name
    golden = {"timesteps": torch.tensor(timesteps), "latents": torch.stack(latents)}
    return golden | ({"image": (image * 255).round().half()} if name in PICTURES else {})


@torch.no_grad()
def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "golden")
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", FutureWarning)  # steps_offset 0, which is set to 1
    disable_progress_bar()
    transformers.logging.disable_progress_bar()
    unets(f"{root}/stages")
    tiny_vae(f"{root}/stages")
    shutil.rmtree(f"{root}/families", ignore_errors=True)
    for name, config in SCHEDULERS.items():
        os.makedirs(f"{root}/families/{name}")
        json.dump(config, open(f"{root}/families/{name}/scheduler_config.json", "w"), indent=2)
    tensors = {f"{name}.{key}": value.contiguous() for name in RUNS for key, value in draw(root, name).items()}
    save_file(tensors, f"{root}/families/golden.safetensors")
    for made in ("families", "stages/unet_lcm", "stages/unet_no_mid", "stages/vae_tiny"):
        for folder, _, files in os.walk(f"{root}/{made}"):
            for file in files:
                os.chmod(f"{folder}/{file}", 0o644)


if __name__ == "__main__":
    main()
