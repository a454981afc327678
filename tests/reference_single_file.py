"""reference_single_file.py - what single_file.py writes, read by diffusers: every number of the folder, bit for bit

    python tests/reference_single_file.py             (reference.py runs it, too)

Each folder is written as one file under Stable Diffusion's original names. diffusers' functions for such files
(loaders/single_file_utils.py) must make the folder's names, shapes and numbers of it, no more and no less, and so must
StableDiffusionPipeline.from_single_file. The folders: the small trained model, those of `make test`, and random ones
with as many blocks and layers as Stable Diffusion 1.5 and 2.1 have, but narrow.
"""

import json
import os
import pathlib
import re
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import diffusers
import torch
import transformers
from diffusers.loaders import single_file_utils
from safetensors import safe_open
from safetensors.torch import load_file, save_file

TREE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TREE / "data/critters/train"))
import single_file

FOLDERS = ["data/models/critters", "tests/golden/runs/sd1", "tests/golden/runs/sd2"]
WEIGHTS = {"unet": "unet/diffusion_pytorch_model.safetensors", "vae": "vae/diffusion_pytorch_model.safetensors",
           "text_encoder": "text_encoder/model.safetensors"}  # fmt: skip
OLD_ATTENTION = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

# ---- narrow models in Stable Diffusion's shape -----------------------------------------------------------------------


def random_folder(folder, version, dtype):
    """Random weights, as diffusers and transformers draw them. The tokenizer and the scheduler are another model's."""
    torch.manual_seed(version)
    channels, down, up = (8, 16, 24, 24), "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
    by_version = {1: dict(attention_head_dim=2), 2: dict(attention_head_dim=(1, 2, 3, 3), use_linear_projection=True)}
    unet = diffusers.UNet2DConditionModel(
        sample_size=64, block_out_channels=channels, layers_per_block=2, norm_num_groups=4, cross_attention_dim=16,
        down_block_types=(down, down, down, "DownBlock2D"), up_block_types=("UpBlock2D", up, up, up),
        **by_version[version])  # fmt: skip
    vae = diffusers.AutoencoderKL(
        sample_size=512, block_out_channels=(4, 8, 12, 12), layers_per_block=2, norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)  # fmt: skip
    layers, activation = {1: (12, "quick_gelu"), 2: (23, "gelu")}[version]
    text_encoder = transformers.CLIPTextModel(transformers.CLIPTextConfig(
        vocab_size=541, hidden_size=16, intermediate_size=32, num_hidden_layers=layers, num_attention_heads=2,
        hidden_act=activation))  # fmt: skip
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(
        TREE / "tests/golden/runs/sd1", unet=unet.to(dtype), vae=vae.to(dtype), text_encoder=text_encoder.to(dtype))
    pipeline.save_pretrained(folder)


def rename_as_of_old(folder):
    """As diffusers 0.14 and transformers 4 wrote a folder: the VAE's attention, and `text_model.` before the encoder's."""

    def rename(part, change):
        path = folder / WEIGHTS[part]
        save_file({change(name): tensor for name, tensor in load_file(path).items()}, path, metadata={"format": "pt"})

    rename("vae", lambda name: re.sub(r"to_[qkv](?=\.)|to_out\.0", lambda match: OLD_ATTENTION[match[0]], name))
    rename("text_encoder", lambda name: "text_model." + name)


def random_folders(root):
    for name, version, dtype, old in [("narrow SD 1.5, f16", 1, torch.float16, False),
                                      ("narrow SD 1.5, old names", 1, torch.float32, True),
                                      ("narrow SD 2.1, bf16", 2, torch.bfloat16, False)]:  # fmt: skip
        folder = root / name
        random_folder(folder, version, dtype)
        if old:
            rename_as_of_old(folder)
        yield name, folder


# ---- the comparison --------------------------------------------------------------------------------------------------


def differences(what, found, wanted):
    """Bit for bit: names, shapes, types, numbers."""
    wrong = [f"{what}: {name} is missing" for name in wanted.keys() - found.keys()]
    wrong += [f"{what}: {name} is too much" for name in found.keys() - wanted.keys()]
    for name in wanted.keys() & found.keys():
        a, b = found[name], wanted[name]
        if a.dtype != b.dtype or a.shape != b.shape:
            wrong.append(f"{what}: {name} is {a.dtype} {list(a.shape)} instead of {b.dtype} {list(b.shape)}")
        elif not torch.equal(a.contiguous().view(torch.uint8), b.contiguous().view(torch.uint8)):
            wrong.append(f"{what}: {name} has other numbers")
    return wrong


def folder_weights(folder, part):
    """Under the names that diffusers and transformers have today."""
    today = {f".{old}.": f".{new}." for new, old in OLD_ATTENTION.items()}
    weights = {}
    for name, tensor in load_file(folder / WEIGHTS[part]).items():
        name = name.removeprefix("text_model.")
        if part == "vae":
            name = re.sub(r"\.(query|key|value|proj_attn)\.", lambda match: today[match[0]], name)
        weights[name] = tensor
    return weights


def check_converters(folder, checkpoint):
    configs = {part: json.loads((folder / part / "config.json").read_text()) for part in WEIGHTS}
    config = transformers.CLIPTextConfig(**configs["text_encoder"])
    found = {"unet": single_file_utils.convert_ldm_unet_checkpoint(checkpoint, configs["unet"]),
             "vae": single_file_utils.convert_ldm_vae_checkpoint(checkpoint, configs["vae"])}  # fmt: skip
    if single_file_utils.is_open_clip_model(checkpoint):
        model = transformers.CLIPTextModel(config)
        text = single_file_utils.convert_open_clip_checkpoint(model, checkpoint)
        # Of the layer that nobody uses diffusers knows that it is the 24th, and nothing in smaller models.
        unused = f"text_model.encoder.layers.{config.num_hidden_layers}."
        text = {name: tensor for name, tensor in text.items() if not name.startswith(unused)}
    else:
        text = single_file_utils.convert_ldm_clip_checkpoint(checkpoint)
    found["text_encoder"] = {name.removeprefix("text_model."): tensor for name, tensor in text.items()}
    return [line for part in WEIGHTS for line in differences(part, found[part], folder_weights(folder, part))]


def check_numbering(checkpoint):
    """diffusers finds a layer that doubles the size at 1 or at 2; in the original it is whatever comes next in its block."""
    blocks = {}
    for name in checkpoint:
        if match := re.search(r"\.(output_blocks\.\d+)\.(\d)\.(\w+)", name):
            blocks.setdefault(match[1], {}).setdefault(int(match[2]), set()).add(match[3])
    return [f"{block} consists of {parts}" for block, parts in blocks.items() if sorted(parts) != list(range(len(parts)))
            or any("conv" in layers and len(layers) > 1 for layers in parts.values())]  # fmt: skip


def check_open_clip(folder, checkpoint):
    """2.x's text encoder is OpenCLIP's there, one layer longer than in the folder; 1.x's is transformers' own."""
    config = json.loads((folder / "text_encoder/config.json").read_text())
    if config["hidden_act"] != "gelu":
        return [] if single_file_utils.is_clip_model(checkpoint) else ["the text encoder isn't under CLIP's names"]
    layers = {int(match[1]) for name in checkpoint if (match := re.search(r"resblocks\.(\d+)\.", name))}
    wanted = set(range(config["num_hidden_layers"] + 1))
    return [] if layers == wanted else [f"OpenCLIP's layers are {sorted(layers)}"]


def check_pipeline(folder, path):
    """Everything that a pipeline holds, opened from the file and from the folder, in float32."""
    from_file = diffusers.StableDiffusionPipeline.from_single_file(str(path), config=str(folder))
    from_folder = diffusers.StableDiffusionPipeline.from_pretrained(folder)
    parts = [(part, getattr(from_file, part).float(), getattr(from_folder, part).float()) for part in WEIGHTS]
    return [line for part, a, b in parts for line in differences(f"pipeline's {part}", a.state_dict(), b.state_dict())]


def check_configs(folder, path, wanted):
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    texts = {name: (folder / name).read_text() for name in single_file.CONFIGS} if wanted else {}
    return [] if metadata == {"format": "pt"} | texts else [f"the metadata holds {sorted(metadata)}"]


@torch.no_grad()
def check(folder, scratch):
    path, with_configs = scratch / "plain.safetensors", scratch / "configs.safetensors"
    single_file.single_file(folder, path)
    single_file.single_file(folder, with_configs, with_configs=True)
    checkpoint = load_file(path)
    return (check_converters(folder, checkpoint) + check_numbering(checkpoint) + check_open_clip(folder, checkpoint)
            + check_pipeline(folder, path) + check_configs(folder, path, False)
            + check_configs(folder, with_configs, True)
            + differences("with configs", load_file(with_configs), checkpoint))  # fmt: skip


def run():
    """How many passed, how many failed"""
    passed = failed = 0
    print("\nsingle files, read by diffusers")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        folders = [(name, TREE / name) for name in FOLDERS] + list(random_folders(scratch))
        for name, folder in folders:
            try:
                wrong = check(folder, scratch)
            except (RuntimeError, KeyError, SystemExit) as error:  # diffusers can't make a model of it, or we no file
                wrong = [str(error)]
            why = "".join(f"\n    {line}" for line in wrong[:10])
            print(f"{'FAIL' if wrong else 'ok  '} {name}{why}", flush=True)
            passed, failed = passed + (not wrong), failed + bool(wrong)
    return passed, failed


if __name__ == "__main__":
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    passed, failed = run()
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(failed > 0)
