"""Draws the pictures that the READMEs show, with ./sculpt and the painter as they are now: `make pictures`."""

import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

PROMPT = "a pygmy hippo wearing sunglasses on the beach"
KNOBS_PROMPT = "a red cat wearing a blue top hat and a scarf, at night"
BARE = "a red cat in the snow"
HATS = ["a red cat wearing a crown in the snow", "a red cat wearing a blue top hat in the snow",
        "a red cat wearing a green party hat in the snow"]
# Where the viewer is taken for its pictures (viz/window/script.c)
RIGHT = "key Right\n"
WATCH = f"""
wait
press Play
press Prompt
key ctrl+a
type "a red cat wearing a crown on the beach"
key Escape
key Home
{RIGHT * 5}press Branch
wait
press "Noise plot"
press Noise
key Home
{RIGHT * 8}wait
"""
WORDS = f"""
wait
press Play
key Home
{RIGHT * 6}press Words
press "word: sunglasses"
wait
"""
WHEN = """
wait
press Play
key End
press When?
wait
press "Swap at every step"
wait
"""
HERE = Path(__file__).parent
GAP = 4


def sculpt(prompt, output, **options):
    """One picture; options are the command's own: steps=5 becomes --steps 5."""
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    subprocess.run(["./sculpt", "draw", prompt, "--output", str(output), *words], check=True, stderr=subprocess.DEVNULL)
    return Image.open(output).convert("RGB")


def window(name, script):
    """The viewer's window after a script; 256 colours are enough for it."""
    with tempfile.NamedTemporaryFile(suffix=".png") as frame:
        subprocess.run(["./sculpt-view", "--headless", "--size", "1280x800", "--pretend-seconds", "0.015", "--script", "-",
                        "--frame", frame.name], check=True, input=script, text=True)
        page = Image.open(frame.name).convert("RGB")
        page.quantize(256, dither=Image.Dither.NONE).save(HERE / name, optimize=True)


def sheet(rows):
    """Pictures of one size, row by row, on white."""
    width, height = rows[0][0].size
    page = Image.new("RGB", (len(rows[0]) * (width + GAP) + GAP, len(rows) * (height + GAP) + GAP), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            page.paste(picture, (GAP + x * (width + GAP), GAP + y * (height + GAP)))
    return page


def main():
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.png"

        sculpt(PROMPT, picture, seed=1, steps_dir=folder)
        Image.open(Path(folder) / "strip.png").save(HERE / "steps.png", optimize=True)

        seeds = [sculpt(PROMPT, picture, seed=seed) for seed in range(10)]
        sheet([seeds[:5], seeds[5:]]).save(HERE / "seeds.png", optimize=True)

        by_steps = [sculpt(KNOBS_PROMPT, picture, seed=3, steps=steps) for steps in (2, 5, 10, 20, 50)]
        by_guidance = [sculpt(KNOBS_PROMPT, picture, seed=3, guidance=guidance) for guidance in (1, 2, 4, 7.5, 15)]
        sheet([by_steps, by_guidance]).save(HERE / "knobs.png", optimize=True)

        cached = [sculpt(KNOBS_PROMPT, picture, seed=3, deep_cache=n) for n in (1, 2, 3, 5)]
        guided = [sculpt(KNOBS_PROMPT, picture, seed=3, guidance_interval=interval)
                  for interval in ("0,100", "0.5,100", "2,100", "0.28,5.42")]
        sheet([cached, guided]).save(HERE / "shortcuts.png", optimize=True)

        window("viewer-branch.png", WATCH)
        window("viewer-words.png", WORDS)
        window("viewer-when.png", WHEN)

        begin, mask = Path(folder) / "begin.png", Path(folder) / "mask.png"
        bare = sculpt(BARE, begin, seed=1)
        white = Image.new("RGB", bare.size)
        ImageDraw.Draw(white).rectangle((16, 0, 111, 55), fill="white")
        white.save(mask)
        hats = [sculpt(prompt, picture, seed=1, init=begin, mask=mask) for prompt in HATS]
        sheet([[bare, white, *hats]]).save(HERE / "inpaint.png", optimize=True)

    subprocess.run(["build/critters-draw", "--sheet", str(HERE / "world.png"), "--columns", "10", "--count", "40",
                    "--split", "train"], check=True)


if __name__ == "__main__":
    main()
