#!/usr/bin/env python3
"""Goldens for sizes: the names and shapes of all weights of Stable Diffusion 1.5, as diffusers and transformers have them.

    python3 tests/make_golden_shapes.py [folder]           (default: tests/golden/shapes)

A folder each, with config.json and shapes.txt.gz: "conv_in.weight 320 4 3 3", a weight a line. Planning needs no numbers,
so what the real networks take of memory is tested without their gigabytes: tests/unit/test_full_size.c and
tests/cli/test_inspect.sh make files of holes from these lists. Nothing is downloaded, since models on torch's "meta" device have shapes only.
"""

import gzip
import os
import pathlib
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

LEVELS = 4


def models():
    text = CLIPTextConfig(vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
                          num_attention_heads=12, max_position_embeddings=77, hidden_act="quick_gelu")
    yield "text_encoder", CLIPTextModel(text)
    yield "unet", UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    yield "vae", AutoencoderKL(sample_size=512, block_out_channels=(128, 256, 512, 512), layers_per_block=2,
                               down_block_types=("DownEncoderBlock2D",) * LEVELS,
                               up_block_types=("UpDecoderBlock2D",) * LEVELS)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/shapes")
    with torch.device("meta"):
        for name, model in models():
            folder = root / name
            model.config.save_pretrained(folder) if name == "text_encoder" else model.save_config(folder)
            weights = model.state_dict()
            with open(folder / "shapes.txt.gz", "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as gz:
                for weight, tensor in weights.items():
                    gz.write((" ".join([weight, *map(str, tensor.shape)]) + "\n").encode())
            print(f"{name}: {len(weights)} weights, {sum(tensor.numel() for tensor in weights.values()):,} parameters")
    for file in root.rglob("*"):
        if file.is_file():
            file.chmod(0o644)


if __name__ == "__main__":
    main()
