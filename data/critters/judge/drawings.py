"""Fresh drawings from the painter, and their round trip through the model's VAE."""

import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import torch


def draw(painter, folder, first, count, *options):
    """`count` drawings from seed `first` on: pixels uint8 [N, 3, 128, 128] and the lines of captions.jsonl."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([painter, "--first", str(first), "--count", str(count), "--out", str(folder), *options], check=True)
    pixels = np.fromfile(folder / "pictures.rgb", dtype=np.uint8).reshape(count, 128, 128, 3)
    lines = [json.loads(line) for line in open(folder / "captions.jsonl")]
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), lines


def vae_fingerprint(model):
    """Which VAE this is: a judge that learnt from one VAE's round trips is no judge of another's pictures."""
    return hashlib.sha256(Path(model, "vae", "diffusion_pytorch_model.safetensors").read_bytes()).hexdigest()


@torch.no_grad()
def encode(vae, pixels, batch=50, rough=False):
    """uint8 [N, 3, 128, 128] -> the posterior's means [N, 4, 16, 16]. rough: in bf16, faster and as good to learn from."""
    with torch.autocast("cpu", torch.bfloat16, enabled=rough):
        parts = [vae.encode(p.float() / 127.5 - 1).latent_dist.mean for p in pixels.split(batch)]
    return torch.cat(parts).float()


@torch.no_grad()
def decode(vae, latents, batch=50, rough=False):
    """[N, 4, 16, 16] -> uint8 [N, 3, 128, 128]."""
    with torch.autocast("cpu", torch.bfloat16, enabled=rough):
        parts = [vae.decode(z).sample.float() for z in latents.split(batch)]
    return torch.cat([((p / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8) for p in parts])
