# sample.py - sheets of drawings from an exported folder: a prompt a row, a setting a column
#
# Where: whenever you want to see. It opens the folder as any user of diffusers would.
#
#     python sample.py                [--model FOLDER] [--out FOLDER]     steps.png, guidance.png, held.png and held.txt

from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

from common import load_captions, options, save_sheet

HERE = Path(__file__).resolve().parent
PROMPTS = ["a pygmy hippo wearing sunglasses on the beach", "a pink cat wearing a crown and a scarf, at night",
           "a red cat and a blue dog", "a green frog with a purple top hat in the snow", "a fox left of an owl in the forest",
           "a hand with four fingers", "a sad white rabbit in space", "an orange lion wearing round glasses and a bow tie"]


def draw(pipeline, prompts, steps, guidance, seed=0):
    """Each prompt starts from the same noise; returns bytes [N, 128, 128, 3]."""
    latents = torch.randn(1, 4, 16, 16, generator=torch.Generator("cpu").manual_seed(seed)).repeat(len(prompts), 1, 1, 1)
    images = pipeline(prompts, num_inference_steps=steps, guidance_scale=guidance, latents=latents.to(pipeline.device),
                      output_type="np").images
    return (images * 255).round().astype(np.uint8)


def main():
    o = options("draw sample sheets", model=str(HERE.parents[1] / "models/critters"), out="", held=32, seed=0)
    out = Path(o.out) if o.out else o.cache / "sheets"
    pipeline = StableDiffusionPipeline.from_pretrained(o.model).to(o.device)
    pipeline.set_progress_bar_config(disable=True)

    by_steps = [draw(pipeline, PROMPTS, steps, 5.0, o.seed) for steps in (2, 5, 10, 20)]
    by_guidance = [draw(pipeline, PROMPTS, 20, guidance, o.seed) for guidance in (1.0, 4.0, 7.5, 15.0)]
    for name, columns in (("steps", by_steps), ("guidance", by_guidance)):
        sheet = np.stack(columns, axis=1).reshape(-1, 128, 128, 3)                     # prompt by prompt
        save_sheet(out / f"{name}.png", sheet, columns=len(columns))

    prompts = [texts[i % len(texts)] for i, texts in enumerate(load_captions(o.cache / "held")[:o.held])]
    images = pipeline(prompts, num_inference_steps=20, generator=torch.Generator("cpu").manual_seed(o.seed), output_type="np").images
    save_sheet(out / "held.png", (images * 255).round().astype(np.uint8), columns=8)
    (out / "held.txt").write_text("\n".join(prompts) + "\n")
    print(f"steps.png (2 5 10 20 at guidance 5), guidance.png (1 4 7.5 15 at 20 steps), held.png in {out}")


if __name__ == "__main__":
    main()
