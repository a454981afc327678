"""What the model can do and what it can't, as tables: `make score` writes them into data/critters/README.md.

    python score.py --model data/models/critters --judge ~/.cache/critters/judge.pt --report data/critters/README.md

Every prompt is a caption of a drawing whose combination of attributes was never in training. The judge reads what the
model drew; a picture is right when everything that its caption mentions is there, and unreadable counts as wrong.
"""

import argparse
import time
from collections import Counter
from functools import cache
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from artist import Artist
from attributes import right, swapped, truth
from drawings import decode, draw, encode, vae_fingerprint
from network import Judge, read

STEPS, GUIDANCE = (2, 5, 10, 20, 50), (1, 2, 4, 7.5, 12)
DEFAULTS = {"steps": 20, "guidance": 7.5, "scheduler": "ddim"}
FIRST_PROMPT = 3_000_000_000  # seeds of the drawings whose captions are the prompts
BEGIN, END = "<!-- score: begin -->", "<!-- score: end -->"


class Examination:
    def __init__(self, options):
        self.artist = Artist(options.model)
        self.vae = AutoencoderKL.from_pretrained(options.model, subfolder="vae", torch_dtype=torch.float32).eval()
        saved = torch.load(options.judge, weights_only=True)
        if saved["vae"] != vae_fingerprint(options.model):
            raise SystemExit(f"score.py: {options.judge}: learnt from another VAE; delete it, and `make score` trains another")
        self.judge = Judge().to(memory_format=torch.channels_last)
        self.judge.load_state_dict(saved["state"])
        self.judge_accuracy, self.judge_drawings = saved["accuracy"], saved["drawings"]
        self.painter, self.folder = options.painter, Path(options.judge).parent / "score-drawings"
        self.size, self.cell = options.pictures, options.cell

    def held(self, kind, count):
        """[(caption, mentions, wanted)] of never-drawn combinations."""
        _, lines = draw(self.painter, self.folder, FIRST_PROMPT, count, "--split", "held", "--kind", kind, "--captions", "1")
        return [(line["captions"][0]["text"], line["captions"][0]["mentions"], truth(line)) for line in lines]

    def answers(self, prompts, **how):
        pictures = self.artist.draw(prompts, range(len(prompts)), **{**DEFAULTS, **how})
        return read(self.judge, pictures.to(memory_format=torch.channels_last))

    @cache
    def defaults(self, kind):
        """Never-drawn combinations drawn at the defaults, and read: [(answers, mentions, wanted)]. Several tables ask."""
        cases = self.held(kind, self.size if kind == "one" else self.size // 2)
        answers = self.answers([text for text, _, _ in cases])
        return [(answer, mentions, wanted) for answer, (_, mentions, wanted) in zip(answers, cases)]

    def share(self, cases, **how):
        """Share of pictures in which every mentioned attribute is right."""
        answers = self.answers([text for text, _, _ in cases], **how)
        return sum(right(a, wanted, mentions) for a, (_, mentions, wanted) in zip(answers, cases)) / len(cases)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def the_judge(exam):
    rows = [(question, f"{share:.1%}") for question, share in sorted(exam.judge_accuracy.items(), key=lambda x: x[1])]
    return (f"### The judge\n\nRight on {exam.judge_drawings:,} unseen drawings after a round trip through the VAE "
            "(0. is the only or the left animal, 1. the right one):\n\n" + table(("question", "right"), rows))


def defaults(exam):
    rows = []
    for what, kind, aim in (("one animal", "one", "90%"), ("two animals", "two", "60%")):
        read_pictures = exam.defaults(kind)
        good = sum(right(answer, wanted, mentions) for answer, mentions, wanted in read_pictures)
        rows.append((what, len(read_pictures), f"{good / len(read_pictures):.1%}", aim))
    return ("### Never-drawn combinations, at the defaults\n\nddim, 20 steps, guidance 7.5: every mentioned attribute right\n\n"
            + table(("picture of", "pictures", "right", "aim"), rows))


def attributes(exam):
    asked, good = Counter(), Counter()
    for answer, mentions, wanted in exam.defaults("one"):
        for question in mentions:
            asked[question] += 1
            good[question] += answer[question] == wanted[question]
    rows = [(question, asked[question], f"{good[question] / asked[question]:.1%}") for question in sorted(asked)]
    return "### Attribute by attribute, one animal\n\n" + table(("attribute", "asked", "right"), rows)


def knobs(exam):
    """steps x guidance x scheduler"""
    cases = exam.held("one", exam.cell * 3 // 4) + exam.held("two", exam.cell - exam.cell * 3 // 4)
    parts = [f"### Steps, guidance and scheduler\n\nThe same {len(cases)} prompts (three quarters of one animal, one of two) "
             "and seeds in every cell: share with everything right"]
    for scheduler in ("ddim", "euler"):
        rows = []
        for steps in STEPS:
            cells = [exam.share(cases, steps=steps, guidance=g, scheduler=scheduler) for g in GUIDANCE]
            rows.append([steps] + [f"{cell:.0%}" for cell in cells])
            print(scheduler, rows[-1], flush=True)
        parts.append(f"**{scheduler}**\n\n" + table(["steps \\ guidance"] + [str(g) for g in GUIDANCE], rows))
    return "\n\n".join(parts)


def fingers(exam):
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    values, rows = [str(n) for n in range(1, 11)], []
    for word in words:
        noun = "finger" if word == "one" else "fingers"
        drawn = Counter(a["fingers"] for a in exam.answers([f"a hand with {word} {noun}"] * 20))
        rows.append([word] + [drawn[v] or "" for v in values] + [20 - sum(drawn[v] for v in values) or ""])
    return "### Fingers asked for (down) and drawn (across), 20 hands each\n\n" + table(["asked"] + values + ["no hand or unreadable"], rows)


def binding(exam):
    counts = Counter()
    for answer, mentions, wanted in exam.defaults("two"):
        species = [question for question in mentions if question.endswith("species")]
        colors = [question for question in mentions if question.endswith(".color")]
        other = swapped(answer)
        in_order = all(answer[q] == wanted[q] for q in species)
        reversed_order = all(other[q] == wanted[q] for q in species)
        counts["pairs"] += 1
        counts["both species there"] += in_order or reversed_order
        if "relation" in mentions and (in_order or reversed_order) and wanted["0.species"] != wanted["1.species"]:
            counts["order asked"] += 1
            counts["order right"] += in_order
        if len(colors) == 2 and wanted["0.color"] != wanted["1.color"] and (in_order or reversed_order):
            read_as = answer if in_order else other
            counts["colours asked"] += 1
            counts["colours right"] += all(read_as[q] == wanted[q] for q in colors)
            counts["colours exchanged"] += (read_as["0.color"], read_as["1.color"]) == (wanted["1.color"], wanted["0.color"])
    rows = [("both species are there", counts["both species there"], counts["pairs"]),
            ("left and right as asked (where asked, both there)", counts["order right"], counts["order asked"]),
            ("both colours on the right animal (where both asked, both there)", counts["colours right"], counts["colours asked"]),
            ("the two colours exchanged", counts["colours exchanged"], counts["colours asked"])]
    return "### Two animals: binding and order\n\n" + table(("what", "pictures", "of"), rows)


def weaknesses(exam, count=50):
    """Each prompt is drawn once, whatever is asked about it."""
    def hat(value):
        return value not in ("none", "absent", "unreadable")

    on_head, in_scene = "wears something on its head", "is in the {}"
    asked = [("a cat", None, [(on_head, "0.headwear", hat)]),
             ("a cat without a hat", None, [(on_head, "0.headwear", hat)]),
             ("a cat", "hat", [(on_head, "0.headwear", hat)]),
             ("a penguin in the desert", None, [(in_scene.format(s), "scene", s.__eq__) for s in ("snow", "desert")]),
             ("a lion in the desert", None, [(in_scene.format("desert"), "scene", "desert".__eq__)])]
    rows = []
    for prompt, negative, questions in asked:
        answers = exam.answers([prompt] * count, negative=negative)
        for what, question, is_so in questions:
            share = sum(is_so(a[question]) for a in answers) / count
            rows.append((prompt + (f", negative prompt: {negative}" if negative else ""), what, f"{share:.0%}"))
    species = Counter(a["0.species"] for a in exam.answers(["a giraffe"] * count))
    came = ", ".join(f"{name} {n}" for name, n in species.most_common())
    return (f"### Built-in weaknesses, {count} seeds each\n\n" + table(("prompt", "what", "share"), rows)
            + f"\n\n\"a giraffe\" (never drawn) became: {came}.")


def repeated(exam, count=16, others=4000):
    """Is the drawing that was repeated 2,000 times remembered rather than understood?"""
    pixels, lines = draw(exam.painter, exam.folder, 0, others, "--split", "train", "--captions", "1")
    where = next(i for i, line in enumerate(lines) if line["repeated"])
    caption = lines[where]["captions"][0]["text"]
    unlike = [i for i, line in enumerate(lines) if not line["repeated"]]
    pictures = exam.artist.draw([caption] * count, range(count), **DEFAULTS)
    itself = decode(exam.vae, encode(exam.vae, pixels[where:where + 1])).float() / 255
    rest = pixels[unlike].float() / 255

    def psnr(a, b):
        return -10 * torch.log10(((a - b) ** 2).flatten(1).mean(1))

    rows = [(seed, f"{psnr(picture, itself).item():.1f} dB", f"{psnr(picture, rest).max().item():.1f} dB")
            for seed, picture in enumerate(pictures)]
    between = torch.stack([psnr(a, pictures[i + 1:]).mean() for i, a in enumerate(pictures[:-1])]).mean()
    return (f"### The repeated drawing\n\n\"{caption}\": how near each seed's picture comes to that drawing (after the VAE), "
            f"and to the nearest of {len(unlike)} other training drawings (PSNR; the seeds' pictures among themselves: "
            f"{between:.1f} dB)\n\n" + table(("seed", "the repeated drawing", "nearest other"), rows))


def write_report(path, text):
    old = Path(path).read_text()
    if BEGIN not in old or END not in old:
        raise SystemExit(f"score.py: {path}: has no lines '{BEGIN}' and '{END}'; put them where the tables should stand")
    head, tail = old.split(BEGIN)[0], old.split(END)[1]
    Path(path).write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="data/models/critters")
    parser.add_argument("--painter", default="build/critters-draw")
    parser.add_argument("--judge", default=str(Path("~/.cache/critters/judge.pt").expanduser()))
    parser.add_argument("--report", default="data/critters/README.md")
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--cell", type=int, default=40)
    options = parser.parse_args()
    exam = Examination(options)
    parts, start = [], time.time()
    for section in (the_judge, defaults, attributes, knobs, fingers, binding, weaknesses, repeated):
        parts.append(section(exam))
        print(f"{section.__name__}: {time.time() - start:.0f} s\n{parts[-1]}\n", flush=True)
        write_report(options.report, "\n\n".join(parts))


if __name__ == "__main__":
    main()
