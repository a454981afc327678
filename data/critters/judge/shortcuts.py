"""What --deep-cache and --guidance-interval cost, and what they save: `make shortcuts` writes the table into README.md.

    python shortcuts.py --model data/models/critters --judge ~/.cache/critters/judge.pt --report data/critters/README.md

Captions of never-drawn combinations, a seed each, drawn by ./sculpt with everything computed and with something left out.
How far a picture has moved is its PSNR to the whole run's; whether it still shows what it should is the judge's word.
Fewer steps save time, too, so rows with fewer steps stand below: a shortcut has to beat those.
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import load_file

from attributes import right, truth
from drawings import draw, vae_fingerprint
from network import Judge, read
from score import FIRST_PROMPT, table

WHOLE = ("everything computed", ())
WAYS = [
    WHOLE,
    ("`--deep-cache 2`", ("--deep-cache", "2")),
    ("`--deep-cache 3`", ("--deep-cache", "3")),
    ("`--deep-cache 5`", ("--deep-cache", "5")),
    ("`--guidance-interval 0.28,5.42`", ("--guidance-interval", "0.28,5.42")),
    ("`--guidance-interval 0.5,100`", ("--guidance-interval", "0.5,100")),
    ("`--guidance-interval 2,100`", ("--guidance-interval", "2,100")),
    ("`--guidance-interval 0.5,100 --deep-cache 2`", ("--guidance-interval", "0.5,100", "--deep-cache", "2")),
    ("`--guidance-interval 0.5,100 --deep-cache 3`", ("--guidance-interval", "0.5,100", "--deep-cache", "3")),
    ("`--steps 14`", ("--steps", "14")),
    ("`--steps 10`", ("--steps", "10")),
    ("`--steps 7`", ("--steps", "7")),
]
BEGIN, END = "<!-- shortcuts: begin -->", "<!-- shortcuts: end -->"


def held(painter, folder, kind, count):
    """[(caption, mentions, wanted)], those that score.py asks first"""
    _, lines = draw(painter, folder, FIRST_PROMPT, count, "--split", "held", "--kind", kind, "--captions", "1")
    return [(line["captions"][0]["text"], line["captions"][0]["mentions"], truth(line)) for line in lines]


def sculpt(program, model, prompt, seed, options):
    """The picture uint8 [H, W, 3], its latents, the FLOP of all steps, and the seconds that they took"""
    with tempfile.TemporaryDirectory() as scratch:
        picture, trace = f"{scratch}/out.png", f"{scratch}/trace.safetensors"
        done = subprocess.run([program, "draw", "-m", model, "--seed", str(seed), "-o", picture, "--trace", trace,
                               *options, "--", prompt], check=True, capture_output=True, text=True)  # fmt: skip
        tensors = load_file(trace)
        pixels = np.array(Image.open(picture).convert("RGB"))
    latents = tensors[f"latents.{len(tensors['timesteps'])}"]
    seconds = re.search(r"([\d.]+) s \([\d.]+ s each\)", done.stderr)[1]
    return pixels, latents, flops_of_steps(done.stderr), float(seconds)


def flops_of_steps(said):
    """What the program says that the steps take, in GFLOP"""
    units = {"M": 1e-3, "G": 1, "T": 1e3}
    together = re.search(r"steps: ([\d.]+) (\w)FLOP together", said)
    if together:
        return float(together[1]) * units[together[2]]
    count, each, unit = re.search(r"(\d+) steps? of ([\d.]+) (\w)FLOP", said).groups()
    return int(count) * float(each) * units[unit]


def psnr(a, b):
    error = float(((a.astype(np.float64) - b) ** 2).mean()) / 255**2
    return -10 * np.log10(max(error, 1e-10))


def row(name, drawn, whole, cases, judge):
    pictures = torch.from_numpy(np.stack([d[0] for d in drawn])).permute(0, 3, 1, 2).float() / 255
    answers = read(judge, pictures.contiguous(memory_format=torch.channels_last))
    good = sum(right(answer, wanted, mentions) for answer, (_, mentions, wanted) in zip(answers, cases))
    moved = [psnr(d[0], w[0]) for d, w in zip(drawn, whole)]
    off = [np.linalg.norm(d[1] - w[1]) / np.linalg.norm(w[1]) for d, w in zip(drawn, whole)]
    seconds = np.median([d[3] / w[3] for d, w in zip(drawn, whole)])
    same = drawn is whole
    return (name, f"{np.mean([d[2] / w[2] for d, w in zip(drawn, whole)]):.0%}", f"{seconds:.0%}",
            "" if same else f"{np.mean(moved):.1f} dB", "" if same else f"{min(moved):.1f} dB",
            "" if same else f"{np.mean(off):.2f}", f"{good} of {len(cases)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default="./sculpt")
    parser.add_argument("--model", default="data/models/critters")
    parser.add_argument("--painter", default="build/critters-draw")
    parser.add_argument("--judge", default=str(Path("~/.cache/critters/judge.pt").expanduser()))
    parser.add_argument("--report", default="data/critters/README.md")
    parser.add_argument("--pictures", type=int, default=40)
    options = parser.parse_args()
    saved = torch.load(options.judge, weights_only=True)
    if saved["vae"] != vae_fingerprint(options.model):
        raise SystemExit(f"shortcuts.py: {options.judge}: learnt from another VAE; delete it, and `make score` trains another")
    judge = Judge().to(memory_format=torch.channels_last)
    judge.load_state_dict(saved["state"])

    with tempfile.TemporaryDirectory() as folder:
        pairs = options.pictures // 4
        cases = held(options.painter, folder, "one", options.pictures - pairs) + held(options.painter, folder, "two", pairs)
    # Each prompt in all ways before the next, so that whatever else the machine does is shared by all
    drawn = [[sculpt(options.program, options.model, text, seed, ("--steps", "20", *way)[2 * ("--steps" in way):])
              for _, way in WAYS] for seed, (text, _, _) in enumerate(cases)]  # fmt: skip
    whole = [ways[0] for ways in drawn]
    rows = [row(name, whole if i == 0 else [ways[i] for ways in drawn], whole, cases, judge)
            for i, (name, _) in enumerate(WAYS)]  # fmt: skip
    head = ("20 steps of ddim, guidance 7.5", "arithmetic", "time", "PSNR, mean", "PSNR, worst", "latents off by", "right")
    text = table(head, rows)
    print(text)
    report = Path(options.report)
    before, after = report.read_text().split(BEGIN)[0], report.read_text().split(END)[1]
    report.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
