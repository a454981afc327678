"""make_full_size.py - Stable Diffusion 1.5 and 2.1 in full size, with random weights, and what diffusers computes

    python tests/make_full_size.py [FOLDER [MODEL...]]          (default: ~/.cache/sculpt-full-size, and both)

The configs are the published ones, number by number; the weights are drawn, since whether a program computes what
diffusers computes doesn't depend on what was learnt. Into FOLDER, 14 GB in all:

    sd15/                       a diffusers folder, float32       sd21/                       float16
    sd15.safetensors            the same in the original naming   sd21.safetensors
    sd15.reference.safetensors  inputs and diffusers' outputs     sd21.reference.safetensors

tests/full/test_full.c compares with the references, `make test-full` runs both. Of each model: one call of the text
encoder, one of the U-Net (512x512 pixels for 1.5, 768x768 for 2.1) and one of the VAE's decoder (512x512), in float32.
Weights are scaled as make_golden.py does and why it does. A model whose reference is there is not made again; it takes
some ten minutes on two cores, and 8 GB of memory.
"""

import gzip
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from make_golden import Watch, draw_weights
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

TREE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TREE / "data/critters/train"))
import single_file

# ---- the published configs -------------------------------------------------------------------------------------------

DOWN, UP = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
UNET = dict(in_channels=4, out_channels=4, block_out_channels=(320, 640, 1280, 1280), layers_per_block=2,
            down_block_types=(DOWN, DOWN, DOWN, "DownBlock2D"), up_block_types=("UpBlock2D", UP, UP, UP),
            norm_num_groups=32, norm_eps=1e-5)  # fmt: skip
VAE = dict(block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4, norm_num_groups=32,
           down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
           scaling_factor=0.18215)  # fmt: skip
TEXT = dict(vocab_size=49408, max_position_embeddings=77, bos_token_id=0, eos_token_id=2, pad_token_id=1)
SCHEDULER = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000,
                 set_alpha_to_one=False, skip_prk_steps=True, steps_offset=1, trained_betas=None,
                 clip_sample=False)  # fmt: skip
MODELS = {
    "sd15": dict(
        seed=15, dtype=torch.float32, latents=64, pad_token="<|endoftext|>",
        parameters={"text_encoder": 123_060_480, "unet": 859_520_964, "vae": 83_653_863},
        unet=dict(sample_size=64, attention_head_dim=8, cross_attention_dim=768, **UNET),
        vae=dict(sample_size=512, **VAE),
        text=dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
                  hidden_act="quick_gelu", projection_dim=768, **TEXT),
        scheduler={"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", **SCHEDULER}),
    "sd21": dict(
        seed=21, dtype=torch.float16, latents=96, pad_token="!",
        parameters={"text_encoder": 340_387_840, "unet": 865_910_724, "vae": 83_653_863},
        unet=dict(sample_size=96, attention_head_dim=(5, 10, 20, 20), cross_attention_dim=1024,
                  use_linear_projection=True, upcast_attention=True, **UNET),
        vae=dict(sample_size=768, **VAE),
        text=dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16,
                  hidden_act="gelu", projection_dim=512, **TEXT),
        scheduler={"_class_name": "DDIMScheduler", "_diffusers_version": "0.8.0", "prediction_type": "v_prediction",
                   **SCHEDULER}),
}  # fmt: skip

# ---- stages ----------------------------------------------------------------------------------------------------------


def make_stage(name, folder, model, part, generator, run):
    """Draws the weights, runs the stage and saves it. Answers with run(stage)."""
    stage = {"text_encoder": lambda: CLIPTextModel(CLIPTextConfig(**model["text"])),
             "unet": lambda: UNet2DConditionModel(**model["unet"]),
             "vae": lambda: AutoencoderKL(**model["vae"])}[part]().eval()  # fmt: skip
    parameters = sum(parameter.numel() for parameter in stage.parameters())
    assert parameters == model["parameters"][part], f"{name}'s {part} has {parameters} parameters"
    draw_weights(stage, generator, model["dtype"])
    stage.float()  # numbers that the file's type holds exactly
    watch = Watch(stage)
    output = run(stage)
    check_alive(f"{name} {part}", watch.deviations, output)
    stage.to(model["dtype"]).save_pretrained(folder / part)
    return output


def check_alive(what, deviations, output):
    """Norms must read small numbers, or a wrong epsilon would be too small to see (the stream grows with depth, so the
    bound is wider than make_golden.py's). An output that is flat would say little about the layers before it."""
    (low, _), (high, highest) = min(deviations), max(deviations)
    within = output.flatten(2).std(dim=2 if output.dim() == 4 else 1).median()  # a channel of [B, C, H, W] or [B, L, D]
    print(f"{what:20} {len(deviations):3} norm inputs, deviation {low:.4f} to {high:.4f}; "
          f"output's {output.std():.3f}, within a channel {within:.3f}", flush=True)  # fmt: skip
    assert 0.001 < low and high < 0.1, f"{what}: the input of {highest} has deviation {high}"
    assert torch.isfinite(output).all() and 0.1 < output.std() < 10, f"{what}: deviation {output.std()}"
    assert within > 0.3 * output.std(), f"{what}: nearly constant, {within} within a channel"


def make_stages(name, folder, model):
    """The folder's three networks, and what goes in and comes out of each."""
    generator = torch.Generator().manual_seed(model["seed"])

    def noise(size):
        return torch.randn(1, 4, size, size, generator=generator)

    def stage(part, run):
        return make_stage(name, folder, model, part, generator, run)

    words = torch.randint(0, 49406, (1, 20), generator=generator)
    padding = 0 if model["pad_token"] == "!" else 49407
    ids = torch.cat([torch.tensor([[49406]]), words, torch.tensor([[49407] + [padding] * 55])], dim=1)
    latents, timesteps, vae_latents = noise(model["latents"]), torch.tensor([601.0]), noise(64)
    text = stage("text_encoder", lambda encoder: encoder(ids).last_hidden_state)
    noise_pred = stage("unet", lambda unet: unet(latents, timesteps, text).sample)
    decoded = stage("vae", lambda vae: vae.decode(vae_latents).sample)
    return {"input_ids": ids, "text_embeddings": text, "latents": latents, "timesteps": timesteps,
            "noise_pred": noise_pred, "vae_latents": vae_latents, "decoded": decoded}  # fmt: skip


# ---- what else is in a folder ----------------------------------------------------------------------------------------


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")


def merge_list():
    """CLIP's list of merges where it lies beside this tree; else one of the same length, which spells nothing sensible."""
    path = TREE / "../shared/clip/bpe_simple_vocab_16e6.txt.gz"
    if path.exists():
        return path.read_bytes()
    letters = [chr(i) for i in (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))]
    merges = [f"{a} {b}{end}" for end in ("</w>", "") for a in letters for b in letters]
    return gzip.compress("\n".join(["#version: made up", *merges]).encode())


def write_tokenizer(folder, pad_token):
    folder.mkdir(parents=True, exist_ok=True)
    merges = folder / "list.txt.gz"
    merges.write_bytes(merge_list())
    subprocess.run([sys.executable, TREE / "data/clip_vocab.py", merges, folder], check=True)
    merges.unlink()
    config = json.loads((folder / "tokenizer_config.json").read_text())
    write_json(folder / "tokenizer_config.json", config | {"pad_token": pad_token})


def write_index(folder):
    parts = {"scheduler": ("diffusers", json.loads((folder / "scheduler/scheduler_config.json").read_text())["_class_name"]),
             "text_encoder": ("transformers", "CLIPTextModel"), "tokenizer": ("transformers", "CLIPTokenizer"),
             "unet": ("diffusers", "UNet2DConditionModel"), "vae": ("diffusers", "AutoencoderKL"),
             "safety_checker": (None, None), "feature_extractor": (None, None)}  # fmt: skip
    write_json(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.42.1",
                                             "requires_safety_checker": False, **parts})  # fmt: skip


def extra_tensors(model):
    """What published files hold besides, and nobody needs: the noise schedule, positions counted, OpenCLIP's other half."""
    alphas = (1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2).cumprod(0)
    extra = {"alphas_cumprod": single_file.Tensor("F32", [1000], [struct.pack("<1000f", *alphas.tolist())])}
    if model["text"]["hidden_act"] == "gelu":
        width = model["text"]["hidden_size"]
        numbers = b"".join(struct.pack("<e", float(row == column)) for row in range(width) for column in range(width))
        extra["cond_stage_model.model.text_projection"] = single_file.Tensor("F16", [width, width], [numbers])
        extra["cond_stage_model.model.logit_scale"] = single_file.Tensor("F32", [], [struct.pack("<f", 4.6052)])
    else:
        positions = struct.pack("<77q", *range(77))
        name = "cond_stage_model.transformer.text_model.embeddings.position_ids"
        extra[name] = single_file.Tensor("I64", [1, 77], [positions])
    return extra


def make_model(root, name, model):
    folder = root / name
    reference = make_stages(name, folder, model)
    write_json(folder / "scheduler/scheduler_config.json", model["scheduler"])
    write_tokenizer(folder / "tokenizer", model["pad_token"])
    write_index(folder)
    tensors = single_file.single_file_tensors(folder) | extra_tensors(model)
    single_file.write_file(root / f"{name}.safetensors", tensors, {})
    path = root / f"{name}.reference.safetensors"  # last of all: where it is, everything is
    save_file({name: tensor.contiguous() for name, tensor in reference.items()}, f"{path}.writing")
    os.replace(f"{path}.writing", path)


@torch.no_grad()
def main():
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path.home() / ".cache/sculpt-full-size"
    for name in sys.argv[2:] or MODELS:
        if (root / f"{name}.reference.safetensors").exists():
            print(f"{name}: is there")
            continue
        shutil.rmtree(root / name, ignore_errors=True)
        make_model(root, name, MODELS[name])


if __name__ == "__main__":
    main()
