# single_file.py - a diffusers folder as one file, under the names that Stable Diffusion was first published with
#
# Where: after export.py, for whoever wants one file instead of a folder. Nothing but Python itself is needed: names
#        change, numbers are copied byte for byte.
# Elsewhere: diffusers' scripts/convert_diffusers_to_original_stable_diffusion.py; the way back is its
#        loaders/single_file_utils.py, and tests/reference_single_file.py goes it. Names: github.com/CompVis/latent-diffusion,
#        ldm/modules/diffusionmodules/openaimodel.py and model.py; github.com/mlfoundations/open_clip, transformer.py.
#
#     python single_file.py FOLDER FILE.safetensors [--with-configs]
#
# Weights don't tell everything: how many heads an attention has, how many groups a norm, how large a picture should be,
# which scheduler takes the steps. For Stable Diffusion's own sizes every program knows; for others (critters) --with-configs
# puts the folder's configs into the file's metadata. The tokenizer is in no such file.

import argparse
import json
import os
import re
import struct
from pathlib import Path
from typing import NamedTuple

SIZES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "U8": 1, "I8": 1, "BOOL": 1}
CONFIGS = ("unet/config.json", "vae/config.json", "text_encoder/config.json", "scheduler/scheduler_config.json")


class Piece(NamedTuple):
    """Bytes of a file, from `at` on."""
    path: Path
    at: int
    size: int


class Tensor(NamedTuple):
    """pieces, one behind the other, are the numbers; a piece is a Piece or bytes."""
    dtype: str
    shape: list
    pieces: list


# ---- the file format -------------------------------------------------------------------------------------------------
#
# 8 bytes: the header's length; the header: JSON, {"name": {"dtype", "shape", "data_offsets"}}; the numbers.


def read_header(path):
    """{name: Tensor} of a .safetensors file. The numbers stay where they are."""
    try:
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
    except (OSError, ValueError, struct.error) as error:
        raise SystemExit(f"{path}: can't be read as safetensors: {error}")
    header.pop("__metadata__", None)
    return {name: Tensor(entry["dtype"], entry["shape"],
                         [Piece(path, 8 + length + entry["data_offsets"][0], entry["data_offsets"][1] - entry["data_offsets"][0])])
            for name, entry in header.items()}


def size_of(tensor):
    return sum(len(piece) if isinstance(piece, bytes) else piece.size for piece in tensor.pieces)


def write_file(path, tensors, metadata):
    """Written beside and renamed. Wide numbers come first, so that every tensor is aligned to its numbers' size."""
    names = sorted(tensors, key=lambda name: (-SIZES[tensors[name].dtype], name))
    header, at = {"__metadata__": {"format": "pt"} | metadata}, 0
    for name in names:
        size = size_of(tensors[name])
        header[name] = {"dtype": tensors[name].dtype, "shape": tensors[name].shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    beside = path.with_name(path.name + ".writing")
    with open(beside, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            for piece in tensors[name].pieces:
                out.write(piece if isinstance(piece, bytes) else read_piece(piece))
    os.replace(beside, path)


def read_piece(piece):
    with open(piece.path, "rb") as file:
        file.seek(piece.at)
        numbers = file.read(piece.size)
    if len(numbers) != piece.size:
        raise SystemExit(f"{piece.path}: ends before its last tensor; copy it anew")
    return numbers


# ---- names -----------------------------------------------------------------------------------------------------------


def renamed(name, table):
    """By the first row of (pattern, replacement) that matches all of the name; a replacement may be a function."""
    for pattern, replacement in table:
        match = re.fullmatch(pattern, name)
        if match:
            return replacement(*match.groups()) if callable(replacement) else match.expand(replacement)
    raise SystemExit(f"{name}: has no name in the original Stable Diffusion 1.x or 2.x")


# A ResNet block's layers stood in two rows there: norm, SiLU, convolution; norm, SiLU, dropout, convolution.
RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
          "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}  # fmt: skip


def unet_tensors(tensors, config):
    """The U-Net was two rows of blocks, counted through whatever level they are on:

        input_blocks    conv_in | level 0: a block for each layer, one that halves the size | level 1: ... | the last: layers
        output_blocks   the coarsest level: a block for each layer and one more | the next: ... | level 0

    A block is 0: ResNet block, 1: transformer. Doubling the size has no block of its own: it comes last in the level's last.
    """
    layers = config["layers_per_block"]
    layers = layers if isinstance(layers, list) else [layers] * len(config["block_out_channels"])
    first_in = [1 + sum(n + 1 for n in layers[:level]) for level in range(len(layers))]
    first_out = [sum(n + 1 for n in layers[::-1][:level]) for level in range(len(layers))]

    def downsampler(level, what):
        return f"input_blocks.{first_in[int(level)] + layers[int(level)]}.0.op.{what}"

    def upsampler(level, what):
        last = first_out[int(level)] + layers[::-1][int(level)]
        return f"output_blocks.{last}.{2 if 'CrossAttn' in config['up_block_types'][int(level)] else 1}.conv.{what}"

    table = [
        (r"time_embedding\.linear_1\.(\w+)", r"time_embed.0.\1"),
        (r"time_embedding\.linear_2\.(\w+)", r"time_embed.2.\1"),
        (r"conv_in\.(\w+)", r"input_blocks.0.0.\1"),
        (r"conv_norm_out\.(\w+)", r"out.0.\1"),
        (r"conv_out\.(\w+)", r"out.2.\1"),
        (r"down_blocks\.(\d+)\.resnets\.(\d+)\.(\w+)\.(\w+)",
         lambda level, i, layer, what: f"input_blocks.{first_in[int(level)] + int(i)}.0.{RESNET[layer]}.{what}"),
        (r"down_blocks\.(\d+)\.attentions\.(\d+)\.(.+)",
         lambda level, i, rest: f"input_blocks.{first_in[int(level)] + int(i)}.1.{rest}"),
        (r"down_blocks\.(\d+)\.downsamplers\.0\.conv\.(\w+)", downsampler),
        (r"mid_block\.resnets\.([01])\.(\w+)\.(\w+)",
         lambda i, layer, what: f"middle_block.{2 * int(i)}.{RESNET[layer]}.{what}"),
        (r"mid_block\.attentions\.0\.(.+)", r"middle_block.1.\1"),
        (r"up_blocks\.(\d+)\.resnets\.(\d+)\.(\w+)\.(\w+)",
         lambda level, i, layer, what: f"output_blocks.{first_out[int(level)] + int(i)}.0.{RESNET[layer]}.{what}"),
        (r"up_blocks\.(\d+)\.attentions\.(\d+)\.(.+)",
         lambda level, i, rest: f"output_blocks.{first_out[int(level)] + int(i)}.1.{rest}"),
        (r"up_blocks\.(\d+)\.upsamplers\.0\.conv\.(\w+)", upsampler),
    ]  # fmt: skip
    return {"model.diffusion_model." + renamed(name, table): tensor for name, tensor in tensors.items()}


# Left: diffusers', and what it called them before 0.15
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out",
                 "query": "q", "key": "k", "value": "v", "proj_attn": "proj_out"}  # fmt: skip


def vae_tensors(tensors, config):
    """Levels of the decoder were counted from the finest, too; what attention multiplies by were 1x1 convolutions."""
    coarsest = len(config["block_out_channels"]) - 1

    def resnet(layer):
        return "nin_shortcut" if layer == "conv_shortcut" else layer

    table = [
        (r"((?:post_)?quant_conv\.\w+|(?:en|de)coder\.conv_(?:in|out)\.\w+)", r"\1"),
        (r"((?:en|de)coder)\.conv_norm_out\.(\w+)", r"\1.norm_out.\2"),
        (r"encoder\.down_blocks\.(\d+)\.resnets\.(\d+)\.(\w+)\.(\w+)",
         lambda level, i, layer, what: f"encoder.down.{level}.block.{i}.{resnet(layer)}.{what}"),
        (r"encoder\.down_blocks\.(\d+)\.downsamplers\.0\.conv\.(\w+)", r"encoder.down.\1.downsample.conv.\2"),
        (r"((?:en|de)coder)\.mid_block\.resnets\.([01])\.(\w+)\.(\w+)",
         lambda half, i, layer, what: f"{half}.mid.block_{int(i) + 1}.{resnet(layer)}.{what}"),
        (r"((?:en|de)coder)\.mid_block\.attentions\.0\.(\w+(?:\.0)?)\.(\w+)",
         lambda half, layer, what: f"{half}.mid.attn_1.{VAE_ATTENTION[layer]}.{what}"),
        (r"decoder\.up_blocks\.(\d+)\.resnets\.(\d+)\.(\w+)\.(\w+)",
         lambda level, i, layer, what: f"decoder.up.{coarsest - int(level)}.block.{i}.{resnet(layer)}.{what}"),
        (r"decoder\.up_blocks\.(\d+)\.upsamplers\.0\.conv\.(\w+)",
         lambda level, what: f"decoder.up.{coarsest - int(level)}.upsample.conv.{what}"),
    ]  # fmt: skip
    out = {}
    for name, tensor in tensors.items():
        name = "first_stage_model." + renamed(name, table)
        if re.search(r"\.attn_1\.(q|k|v|proj_out)\.weight$", name):
            tensor = tensor._replace(shape=tensor.shape[:2] + [1, 1])
        out[name] = tensor
    return out


def clip_tensors(tensors):
    """Stable Diffusion 1.x took its text encoder from transformers, which had `text_model.` before each name."""
    table = [(r"((?:embeddings|encoder\.layers|final_layer_norm)\..+)", r"cond_stage_model.transformer.text_model.\1")]
    return {renamed(name, table): tensor for name, tensor in tensors.items()}


def open_clip_tensors(tensors, config):
    """2.x took its from OpenCLIP: queries, keys and values were one matrix there, these rows above each other.

    Its encoder has one layer more than is used (the last but one's output is what the U-Net reads), and programs that read
    such files leave out the last. A folder hasn't got it; here it is the one before it once more.
    """
    layers = config["num_hidden_layers"]
    table = [
        (r"embeddings\.token_embedding\.weight", "token_embedding.weight"),
        (r"embeddings\.position_embedding\.weight", "positional_embedding"),
        (r"final_layer_norm\.(\w+)", r"ln_final.\1"),
        (r"encoder\.layers\.(\d+)\.layer_norm([12])\.(\w+)", r"transformer.resblocks.\1.ln_\2.\3"),
        (r"encoder\.layers\.(\d+)\.self_attn\.out_proj\.(\w+)", r"transformer.resblocks.\1.attn.out_proj.\2"),
        (r"encoder\.layers\.(\d+)\.self_attn\.q_proj\.(\w+)", r"transformer.resblocks.\1.attn.in_proj_\2"),
        (r"encoder\.layers\.(\d+)\.mlp\.fc1\.(\w+)", r"transformer.resblocks.\1.mlp.c_fc.\2"),
        (r"encoder\.layers\.(\d+)\.mlp\.fc2\.(\w+)", r"transformer.resblocks.\1.mlp.c_proj.\2"),
    ]
    out = {}
    for name, tensor in tensors.items():
        if ".k_proj." in name or ".v_proj." in name or name == "embeddings.position_ids":
            continue
        if ".q_proj." in name:
            parts = [tensors[name.replace(".q_proj.", part)] for part in (".q_proj.", ".k_proj.", ".v_proj.")]
            if len({part.dtype for part in parts}) > 1:
                raise SystemExit(f"{name}: queries, keys and values have different precisions; convert them to one first")
            tensor = Tensor(tensor.dtype, [3 * tensor.shape[0], *tensor.shape[1:]], [p for part in parts for p in part.pieces])
        name = renamed(name, table)
        out["cond_stage_model.model." + name] = tensor
        if name.startswith(f"transformer.resblocks.{layers - 1}."):
            unused = name.replace(f".{layers - 1}.", f".{layers}.", 1)
            out["cond_stage_model.model." + unused] = tensor
    return out


# ---- all of it -------------------------------------------------------------------------------------------------------


def single_file_tensors(folder):
    """{original name: Tensor} of U-Net, VAE and text encoder."""
    unet, vae, text = (json.loads((folder / config).read_text()) for config in CONFIGS[:3])
    tensors = unet_tensors(read_header(folder / "unet/diffusion_pytorch_model.safetensors"), unet)
    tensors |= vae_tensors(read_header(folder / "vae/diffusion_pytorch_model.safetensors"), vae)
    encoder = {name.removeprefix("text_model."): tensor
               for name, tensor in read_header(folder / "text_encoder/model.safetensors").items()}  # fmt: skip
    # OpenCLIP's activation is the exact GELU, CLIP's the quick one: that is how a reader knows which to take.
    return tensors | (open_clip_tensors(encoder, text) if text.get("hidden_act") == "gelu" else clip_tensors(encoder))


def single_file(folder, path, with_configs=False):
    metadata = {name: (folder / name).read_text() for name in CONFIGS} if with_configs else {}
    write_file(path, single_file_tensors(folder), metadata)


def main():
    parser = argparse.ArgumentParser(description="write a diffusers folder as one file in the original naming")
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--with-configs", action="store_true", help="put the folder's configs into the file's metadata")
    o = parser.parse_args()
    try:
        single_file(o.folder, o.file, o.with_configs)
    except OSError as error:
        raise SystemExit(f"{error.filename}: {error.strerror}")
    except ValueError as error:
        raise SystemExit(f"{o.folder}: a config isn't JSON: {error}")


if __name__ == "__main__":
    main()
