"""make_golden_runs.py - whole runs of diffusers' StableDiffusionPipeline on two small random models

    python tests/make_golden_runs.py [folder]              (default: tests/golden/runs)

sd1/ and sd2/ are complete diffusers folders: sd1 in the manner of Stable Diffusion 1.x (epsilon, heads by number,
QuickGELU, vocab.json and merges.txt, padding with the end token), sd2 in that of 2.x (v_prediction, heads a level,
linear projections, exact GELU, tokenizer.json, padding with "!"). Beside them golden.safetensors holds for each NAME

    NAME.input_ids [2 or 1, L]         NAME.timesteps [N]
    NAME.latents [N + 1, 4, h, w]      before each step, and after the last
    NAME.noise_pred [4, h, w]          of the first step, and so
    NAME.pred_original_sample [4, h, w]
    NAME.image [3, H, W]               0..255, as half floats

What the runs are stands in RUNS below and, once more, in tests/parity/test_pipeline_parity.c. The picture that image to
image starts from is made by init_image, here and there.

Random weights tend to ignore the prompt and to drown the picture; they are scaled so that the noise they predict has
about variance 1, the prompt matters, and the VAE's pictures aren't saturated: the script prints all three.
"""

import functools
import json
import os
import shutil
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
import torch
import transformers
from diffusers.utils.logging import disable_progress_bar
from diffusers import (AutoencoderKL, DDIMScheduler, EulerDiscreteScheduler, StableDiffusionImg2ImgPipeline,
                       StableDiffusionPipeline, UNet2DConditionModel)  # fmt: skip
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

WIDTH, HEIGHT = 24, 32  # not square, so that swapped axes show
PROMPT, NEGATIVE = "a pink cat wearing a crown, at night", "blurry hat"
SCHEDULERS = {"ddim": DDIMScheduler, "euler": EulerDiscreteScheduler}

# name: model, scheduler (None: the model's own), steps, guidance, negative prompt, seed, then what is special
RUNS = {
    "ddim": ("sd1", None, 20, 7.5, NEGATIVE, 1, {}),
    "euler": ("sd1", "euler", 20, 7.5, NEGATIVE, 2, {}),
    "unguided": ("sd1", None, 6, 1.0, "", 3, {}),
    "eta": ("sd1", None, 10, 4.0, "", 4, {"eta": 0.5}),
    "trailing": ("sd1", "euler", 7, 3.0, "", 5, {"timestep_spacing": "trailing"}),
    "img2img": ("sd1", None, 20, 7.5, NEGATIVE, 6, {"strength": 0.6}),
    "img2img_euler": ("sd1", "euler", 10, 5.0, "", 7, {"strength": 0.7}),
    "v_ddim": ("sd2", None, 20, 7.5, NEGATIVE, 8, {}),
    "v_euler": ("sd2", "euler", 20, 7.5, NEGATIVE, 9, {}),
    "v_img2img": ("sd2", None, 10, 7.5, "", 10, {"strength": 0.6}),
}

# ---- models ----------------------------------------------------------------------------------------------------------


def bytes_to_characters():
    """CLIP's way of writing any byte as a printable character."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(len(rest))]


def tokenizer_files(folder, pad):
    """A CLIP tokenizer whose only words are those of the prompts above; everything else falls apart into bytes."""
    os.makedirs(folder)
    characters, merges = bytes_to_characters(), []
    for word in "a pink cat wearing crown at night blurry hat".split():
        pieces = [*word[:-1], word[-1] + "</w>"]
        while len(pieces) > 1:
            if (pair := f"{pieces[0]} {pieces[1]}") not in merges:
                merges.append(pair)
            pieces = [pieces[0] + pieces[1], *pieces[2:]]
    pieces = characters + [c + "</w>" for c in characters] + [m.replace(" ", "") for m in merges]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    with open(f"{folder}/vocab.json", "w") as file:
        json.dump({piece: i for i, piece in enumerate(pieces)}, file, ensure_ascii=False)
    with open(f"{folder}/merges.txt", "w") as file:
        file.write("\n".join(["#version: 0.2", *merges, ""]))
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "errors": "replace",
              "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
              "pad_token": pad}  # fmt: skip
    with open(f"{folder}/tokenizer_config.json", "w") as file:
        json.dump(config, file)
    return len(pieces)


def scale_weights(model, generator, gains):
    """Weights of unit gain (output as large as input), times the gain of the first name that matches."""
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if weight is None or isinstance(module, torch.nn.Embedding):
            continue
        if weight.dim() == 1:
            weight.data = 1 + 0.1 * torch.randn(weight.shape, generator=generator)
        else:
            gain = next((gain for part, gain in gains.items() if part in name), 1.0)
            inputs = weight[0].numel()
            weight.data = torch.randn(weight.shape, generator=generator) * gain / inputs**0.5
        if module.bias is not None:
            module.bias.data = 0.05 * torch.randn(module.bias.shape, generator=generator)


def build(root, name, second):
    """Writes one model's folder."""
    folder = os.path.join(root, name)
    shutil.rmtree(folder, ignore_errors=True)
    generator = torch.Generator().manual_seed(20 + second)
    torch.manual_seed(30 + second)
    vocab_size = tokenizer_files(f"{folder}/tokenizer", "!" if second else "<|endoftext|>")
    tokenizer = CLIPTokenizer.from_pretrained(f"{folder}/tokenizer")

    text = CLIPTextModel(CLIPTextConfig(
        vocab_size=vocab_size, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=77, hidden_act="gelu" if second else "quick_gelu",
        bos_token_id=vocab_size - 2, eos_token_id=vocab_size - 1,
        pad_token_id=0 if second else vocab_size - 1))  # fmt: skip
    for embedding in (m for m in text.modules() if isinstance(m, torch.nn.Embedding)):
        embedding.weight.data = 0.5 * torch.randn(embedding.weight.shape, generator=generator)
    scale_weights(text, generator, {})

    unet = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, cross_attention_dim=16,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=(2, 4) if second else 2, use_linear_projection=bool(second))  # fmt: skip
    scale_weights(unet, generator, {"attn2.to_v": 2.0, "attn2.to_q": 1.5, "attn2.to_k": 1.5, "conv_out": 1.5})

    vae = AutoencoderKL(
        block_out_channels=(4, 4, 8), layers_per_block=1, norm_num_groups=4, latent_channels=4, sample_size=32,
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
        scaling_factor=0.18215 if second else 0.9)  # fmt: skip
    scale_weights(vae, generator, {"decoder.conv_out": 0.7, "post_quant_conv": 0.2 if second else 1.0})

    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
                              set_alpha_to_one=False, steps_offset=1,
                              prediction_type="v_prediction" if second else "epsilon")  # fmt: skip
    pipeline = StableDiffusionPipeline(vae=vae, text_encoder=text, tokenizer=tokenizer, unet=unet, scheduler=scheduler,
                                       safety_checker=None, feature_extractor=None,
                                       requires_safety_checker=False)  # fmt: skip
    files = {f: open(f"{folder}/tokenizer/{f}").read() for f in os.listdir(f"{folder}/tokenizer")}
    pipeline.to(torch.float16).save_pretrained(folder)
    if second:  # as new folders have it: all in tokenizer.json
        for file in ("vocab.json", "merges.txt"):
            os.remove(f"{folder}/tokenizer/{file}")
    else:  # and as old ones have it
        shutil.rmtree(f"{folder}/tokenizer")
        os.makedirs(f"{folder}/tokenizer")
        for file, content in files.items():
            open(f"{folder}/tokenizer/{file}", "w").write(content)
    config = json.load(open(f"{folder}/text_encoder/config.json"))
    json.dump(config | {"dtype": "float32"}, open(f"{folder}/text_encoder/config.json", "w"), indent=2)


# ---- runs ------------------------------------------------------------------------------------------------------------


def init_image():
    """red from left to right, green from top to bottom, blue in stripes"""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    pixels = np.stack([x * 255 // (WIDTH - 1), y * 255 // (HEIGHT - 1), (x + y) % 16 * 17], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


class Watch:
    """Notes what goes into the scheduler's step and comes out of it."""

    def __init__(self, scheduler):
        self.latents, self.noise_pred, self.x0, self.timesteps = [], [], [], []
        step = scheduler.step

        @functools.wraps(step)  # the pipeline looks at step's signature to find out whether it takes eta
        def watched(model_output, timestep, sample, **options):
            out = step(model_output, timestep, sample, **(options | {"return_dict": True}))
            self.timesteps.append(float(timestep))
            self.latents.append(sample[0])
            self.noise_pred.append(model_output[0])
            self.x0.append(out.pred_original_sample[0])
            self.last = out.prev_sample[0]
            return (out.prev_sample,)

        scheduler.step = watched


def draw(root, name):
    model, scheduler, steps, guidance, negative, seed, special = RUNS[name]
    special = dict(special)
    kind = StableDiffusionImg2ImgPipeline if "strength" in special else StableDiffusionPipeline
    pipeline = kind.from_pretrained(os.path.join(root, model), safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    if scheduler:
        spacing = {"timestep_spacing": special.pop("timestep_spacing")} if "timestep_spacing" in special else {}
        pipeline.scheduler = SCHEDULERS[scheduler].from_config(pipeline.scheduler.config, **spacing)
    watch = Watch(pipeline.scheduler)
    size = {"image": init_image()} if "strength" in special else {"width": WIDTH, "height": HEIGHT}
    image = pipeline(PROMPT, negative_prompt=negative, num_inference_steps=steps, guidance_scale=guidance,
                     output_type="pt", generator=torch.Generator().manual_seed(seed), **size,
                     **special).images[0]  # fmt: skip
    prompts = [negative, PROMPT] if guidance > 1 else [PROMPT]
    ids = pipeline.tokenizer(prompts, padding="max_length", max_length=77, return_tensors="pt").input_ids

    noise, saturated = torch.stack(watch.noise_pred), ((image == 0) | (image == 1)).float().mean()
    print(f"{name:14} latents {watch.last.std():7.3f}  noise_pred {noise[0].std():6.3f} .. {noise[-1].std():6.3f}  "
          f"picture {image.mean():.3f} +- {image.std():.3f}, {saturated:.0%} at its ends")  # fmt: skip
    assert torch.isfinite(watch.last).all() and saturated < 0.5, name
    return {"input_ids": ids, "timesteps": torch.tensor(watch.timesteps),
            "latents": torch.stack([*watch.latents, watch.last]), "noise_pred": watch.noise_pred[0],
            "pred_original_sample": watch.x0[0], "image": (image * 255).round().half()}  # fmt: skip


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "golden", "runs")
    torch.set_num_threads(1)
    disable_progress_bar()
    transformers.logging.disable_progress_bar()
    for second, name in enumerate(("sd1", "sd2")):
        build(root, name, second)
    with torch.no_grad():
        tensors = {f"{name}.{key}": value.contiguous() for name in RUNS for key, value in draw(root, name).items()}
    save_file(tensors, os.path.join(root, "golden.safetensors"))


if __name__ == "__main__":
    main()
