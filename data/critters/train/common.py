# common.py - what the steps of the recipe share: pictures from the painter, checkpoints, the moving average, sheets
#
# Where: vae.py, tokenizer.py, latents.py, train.py, sample.py, export.py and lora.py all import this; it imports none of them.
# The cache (--cache, default ~/.cache/critters) holds everything that is made and can be made again:
#     train/ held/      pictures.rgb and captions.jsonl, written by the painter (../draw); held is never trained on
#     tokenizer/        by tokenizer.py        vae/ model/   checkpoints, log.txt and sheets, by vae.py and train.py
#     latents.pt        by latents.py          blueprint/     drawings, checkpoints and log.txt of lora.py

import argparse
import copy
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

SIZE = 128                                                     # pixels a side


def options(what, **defaults):
    """The command line: --cache and --device everywhere, and one option for each default."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/critters")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    for name, value in defaults.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            parser.add_argument(flag, action="store_true")
        else:
            parser.add_argument(flag, type=type(value), default=value, help=f"[{value}]")
    return parser.parse_args()


def load_pictures(folder):
    """All pictures of a folder, [N, 128, 128, 3] bytes. Mapped, not read: a machine with less memory than pictures will do."""
    return np.memmap(folder / "pictures.rgb", np.uint8, "r").reshape(-1, SIZE, SIZE, 3)


def load_captions(folder):
    """A list for each picture: [N][K] sentences."""
    with open(folder / "captions.jsonl") as f:
        return [[c["text"] for c in json.loads(line)["captions"]] for line in f]


def load_kinds(folder):
    """What each picture shows, "one" animal, "two" or a "hand": [N]."""
    with open(folder / "captions.jsonl") as f:
        return [json.loads(line)["kind"] for line in f]


def to_tensor(pictures, device="cpu"):
    """Bytes [B, H, W, 3] -> floats [B, 3, H, W] in -1..1, which is how a diffusers VAE wants them."""
    return torch.from_numpy(np.array(pictures)).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_bytes(x):
    """Floats [B, 3, H, W] in -1..1 -> bytes [B, H, W, 3]."""
    return ((x.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def save_sheet(path, pictures, columns):
    """Pictures [N, H, W, 3] side by side, row after row, as one PNG."""
    n, h, w, _ = pictures.shape
    rows = -(-n // columns)
    sheet = np.zeros((rows * h, columns * w, 3), np.uint8)
    for i, picture in enumerate(pictures):
        y, x = i // columns * h, i % columns * w
        sheet[y:y + h, x:x + w] = picture
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(path)


class MovingAverage:
    """A copy of the model that follows its weights slowly; it draws better than any single moment of training.

    Early on it follows fast (the model of 100 steps ago is no use), so decay grows with the number of updates.
    """

    def __init__(self, model, decay=0.999):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model, step):
        decay = min(self.decay, (1 + step) / (10 + step))
        mine, theirs = list(self.model.parameters()), list(model.parameters())
        torch._foreach_lerp_(mine, theirs, 1 - decay)


class Schedule:
    """The learning rate's factor over a planned number of minutes: warm up, stay, then fall to zero in the last part.

    It counts minutes of training, not steps: on a busy or a slow machine the plan still ends in time, well cooled down.
    Continuing a finished run with more minutes raises the rate again.
    """

    def __init__(self, minutes, elapsed=0.0, warm_up_steps=100, cool_down=0.35):
        self.minutes, self.warm_up, self.cool_down = minutes, warm_up_steps, cool_down
        self.elapsed, self.start = elapsed, time.time()        # minutes trained before this start; now

    def minute(self):
        return self.elapsed + (time.time() - self.start) / 60

    def factor(self, step, minute):
        left = 1 - minute / self.minutes
        return min(1.0, (step + 1) / self.warm_up) * max(0.0, min(1.0, left / self.cool_down))


def set_learning_rate(optimizers, factor):
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group.setdefault("base_lr", group["lr"])
            group["lr"] = group["base_lr"] * factor


def save_checkpoint(folder, state):
    """Written beside and renamed, so that a cut leaves a whole file; the one before is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / "writing.pt")
    if (folder / "last.pt").exists():
        os.replace(folder / "last.pt", folder / "before.pt")
    os.replace(folder / "writing.pt", folder / "last.pt")


def load_checkpoint(folder, device):
    """The newest whole checkpoint, or None."""
    for name in ("last.pt", "before.pt"):
        if (folder / name).exists():
            return torch.load(folder / name, map_location=device, weights_only=False)
    return None


class Log:
    """Lines to the terminal and to a file."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(path, "a", buffering=1)

    def __call__(self, line):
        print(line, flush=True)
        self.file.write(line + "\n")


def in_workers(train, o):
    """Runs train(o, rank) in o.workers processes of one thread each (0: as many as there are cores; 1 on a GPU).

    On a CPU that is faster than one process with several threads, since these would wait for each other after every op;
    and much faster when somebody else wants the cores as well.
    """
    o.workers = o.workers or (1 if o.device == "cuda" else os.cpu_count())
    if o.workers == 1:
        return train(o, 0)
    with tempfile.TemporaryDirectory() as meeting:
        torch.multiprocessing.spawn(_worker, (train, o, f"file://{meeting}/point"), nprocs=o.workers)


def _worker(rank, train, o, meeting):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=o.workers)
    train(o, rank)


def average_over_workers(parameters, minute):
    """Every worker ends with the mean gradient, so all take the same step; and with the same idea of what time it is."""
    if not torch.distributed.is_initialized():
        return minute
    grads = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in grads] + [torch.tensor([minute])])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    for g, mean in zip(grads, flat[:-1].split([g.numel() for g in grads])):
        g.copy_(mean.view_as(g))
    return flat[-1].item()
