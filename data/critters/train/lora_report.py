# lora_report.py - looks at what lora.py taught: a sheet of weights, and how far blueprints and plain drawings moved
#
# Where: after lora.py. It opens model and LoRA as any user of diffusers would, and writes data/pictures/blueprint.png;
# the figures that it prints stand in data/critters/README.md.
#
#     critters-draw --split held --kind one --count 40 --captions 1 --out CACHE/blueprint/held
#     python lora_report.py

import json
import sys

import numpy as np
import torch
from PIL import Image

from common import load_pictures, options, save_sheet, to_bytes, to_tensor
from lora import INKS, MODELS, blueprint, blueprint_caption, open_pipeline
from vae import psnr, round_trip

sys.path.append(str(MODELS.parent / "critters/judge"))
from attributes import right, truth
from network import Judge, read

PROMPTS = ["a pygmy hippo wearing sunglasses on the beach, as a blueprint", "a blueprint of a sad white rabbit in space",
           "a red cat and a blue dog, as a blueprint", "a green frog with a purple top hat in the snow"]
WEIGHTS = (0.0, 0.5, 1.0, 1.3)


def draw(pipeline, weight, prompts, first_seed=0, guidance=7.5):
    """A seed each, 20 steps, as score.py draws; bytes [N, 128, 128, 3]."""
    pipeline.set_adapters(["blueprint"], [weight])
    parts = []
    for i in range(0, len(prompts), 20):
        generators = [torch.Generator("cpu").manual_seed(first_seed + i + j) for j in range(len(prompts[i:i + 20]))]
        parts.append(pipeline(prompts[i:i + 20], num_inference_steps=20, guidance_scale=guidance, generator=generators,
                              output_type="np").images)
    return (np.concatenate(parts) * 255).round().astype(np.uint8)


def in_ink(pictures, near=40):
    """Share of pixels whose colour lies within `near` (of 442) of one of the blueprint's inks."""
    pixels, inks = torch.from_numpy(pictures).float().reshape(-1, 3), torch.from_numpy(INKS[::4]).float()
    return torch.cat([torch.cdist(part, inks).min(dim=1).values < near for part in pixels.split(100000)]).float().mean().item()


def all_right(judge, pictures, lines):
    """Share of pictures in which the judge finds all that the caption mentions."""
    answers = read(judge, torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255)
    return sum(right(a, truth(line), line["captions"][0]["mentions"]) for a, line in zip(answers, lines)) / len(lines)


def report(o):
    pipeline = open_pipeline()
    pipeline.load_lora_weights(o.lora, adapter_name="blueprint")
    rows = []                                                  # each row from one noise, so that only the weight differs
    for prompt in PROMPTS:
        rows += [draw(pipeline, weight, [prompt], o.seed, o.guidance)[0] for weight in WEIGHTS]
    sheet = MODELS.parent / "pictures/blueprint.png"
    save_sheet(sheet, np.stack(rows), columns=len(WEIGHTS))
    Image.open(sheet).quantize(256, dither=Image.Dither.NONE).save(sheet, optimize=True)          # a quarter of the size

    held = o.cache / "blueprint/held"                          # drawings whose combinations no training saw
    lines = [json.loads(line) for line in open(held / "captions.jsonl")]
    plain = [line["captions"][0]["text"] for line in lines]
    blue = [blueprint_caption(text) for text in plain]

    def say(what, pictures):
        print(f"{what}: {in_ink(pictures):.1%} of pixels in the inks", flush=True)

    best = round_trip(pipeline.vae, to_tensor(np.stack([blueprint(p) for p in load_pictures(held)])))
    say("drawings turned into blueprints, after the autoencoder", to_bytes(best))
    before, after = (draw(pipeline, weight, plain) for weight in (0.0, 1.0))
    say("plain captions, weight 0", before)
    say("plain captions, weight 1", after)
    others = np.roll(before, 1, axis=0)
    print(f"plain captions, weight 1 beside weight 0: PSNR {psnr(to_tensor(after), to_tensor(before)):.1f} dB "
          f"(two pictures of different captions: {psnr(to_tensor(others), to_tensor(before)):.1f} dB)")
    if (o.cache / "judge.pt").exists():                        # by `make score`; it reads plain drawings only
        judge = Judge()
        judge.load_state_dict(torch.load(o.cache / "judge.pt", weights_only=True)["state"])
        print(f"plain captions, everything mentioned is there: weight 0 {all_right(judge, before, lines):.1%}, "
              f"weight 1 {all_right(judge, after, lines):.1%}", flush=True)
    for guidance, weight in (*((o.guidance, weight) for weight in WEIGHTS), (7.5, 1.0)):
        say(f"as blueprints, guidance {guidance}, weight {weight}", draw(pipeline, weight, blue, guidance=guidance))


if __name__ == "__main__":
    report(options("look at a LoRA", lora=str(MODELS / "critters-blueprint.safetensors"), seed=1, guidance=4.0))
