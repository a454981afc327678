"""Trains the judge on fresh drawings after a round trip through the VAE, and says how often it is right on unseen ones.

    python train_judge.py --model data/models/critters --painter build/critters-draw --out ~/.cache/critters/judge.pt

What it must never do is guess, or every smear would count as somebody's crown. So a part of what it learns from are
pictures that no painter made: two drawings' latents mixed, where every attribute in which the two differ is
"unreadable", and latents drowned in noise, where everything is.
"""

import argparse
import sys
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch.nn.functional import cross_entropy

from attributes import IGNORED, QUESTIONS, UNREADABLE, classes, swapped, truth
from drawings import decode, draw, encode, vae_fingerprint
from network import Judge, read

sys.path.append(str(Path(__file__).resolve().parents[1] / "train"))
from muon import Muon  # noqa: E402

FIRST_FRESH = 1_000_000_000  # seeds far from those that the model was trained on
FIRST_UNSEEN = 2_000_000_000


def unreadable_classes():
    return torch.tensor([values.index(UNREADABLE) for values in QUESTIONS.values()])


def mixed(latents, labels, count, generator):
    """Pairs of drawings, neither of them more than 65% there."""
    a, b = torch.randint(len(latents), (2, count), generator=generator)
    share = 0.35 + 0.3 * torch.rand(count, 1, 1, 1, generator=generator)
    same = labels[a] == labels[b]
    return share * latents[a] + (1 - share) * latents[b], torch.where(same, IGNORED, unreadable_classes())


def drowned(latents, count, generator):
    """Drawings under noise of 1 to 2 times their own strength."""
    chosen = latents[torch.randint(len(latents), (count,), generator=generator)]
    strength = (1 + torch.rand(count, 1, 1, 1, generator=generator)) * latents.std()
    noise = torch.randn(chosen.shape, generator=generator)
    return chosen + strength * noise, unreadable_classes().expand(count, -1)


def drawings(painter, folder, first, count):
    """Of everything, and more of what is hardest to learn: a fifth of hands, for the fingers, and a quarter of pairs."""
    lots = [(count, []), (count // 5, ["--kind", "hand"]), (count // 4, ["--kind", "two"])]
    pixels, lines = [], []
    for size, kind in lots:
        some, more = draw(painter, folder, first + len(lines), size, "--split", "all", "--captions", "1", *kind)
        pixels, lines = pixels + [some], lines + more
    return torch.cat(pixels), lines


def training_set(vae, painter, folder, count, generator):
    pixels, lines = drawings(painter, folder, FIRST_FRESH, count)
    labels = torch.tensor([classes(truth(line)) for line in lines])
    latents = encode(vae, pixels, rough=True)
    blend, blend_labels = mixed(latents, labels, count // 5, generator)
    noise, noise_labels = drowned(latents, count // 20, generator)
    pictures = decode(vae, torch.cat([latents, blend, noise]), rough=True)
    return pictures, torch.cat([labels, blend_labels, noise_labels])


def jitter(pictures, generator):
    """Small shifts and grain: what the model draws is never quite what the VAE gives back."""
    dx, dy = torch.randint(-3, 4, (2,), generator=generator).tolist()
    shifted = torch.roll(pictures, (dy, dx), (2, 3))
    return (shifted + 0.03 * torch.rand(1, generator=generator) * torch.randn(shifted.shape)).clamp(0, 1)


def mirror(pictures, labels, generator):
    """Half of the pictures seen in a mirror: left and right animals change their places."""
    questions = list(QUESTIONS)
    kinds = labels[:, questions.index("kind")]
    flipped = (torch.rand(len(labels), generator=generator) < 0.5) & (kinds != IGNORED)
    two = flipped & (kinds == QUESTIONS["kind"].index("two"))
    exchanged = [questions.index(q) for q in swapped({q: q for q in questions}).values()]
    pictures = torch.where(flipped[:, None, None, None], pictures.flip(3), pictures)
    return pictures, torch.where(two[:, None], labels[:, exchanged], labels)


def optimizers_for(judge):
    """Muon for the convolutions inside; AdamW for the rest."""
    inner = [p for name, p in judge.named_parameters() if p.ndim == 4 and p.size(1) > 3 and p.size(2) == 3]
    chosen = {id(p) for p in inner}
    return [Muon(inner, 1e-2),
            torch.optim.AdamW([p for p in judge.parameters() if id(p) not in chosen], 2e-3, weight_decay=0.02)]


def train(judge, pictures, labels, epochs, generator):
    batch, steps = 64, epochs * (len(pictures) // 64)
    optimizers = optimizers_for(judge)
    schedules = [torch.optim.lr_scheduler.OneCycleLR(o, o.param_groups[0]["lr"], total_steps=steps, pct_start=0.1,
                                                     anneal_strategy="linear", cycle_momentum=False) for o in optimizers]
    judge.train()
    start, step, sum_loss = time.time(), 0, 0.0
    for _ in range(epochs):
        for index in torch.randperm(len(pictures), generator=generator)[: len(pictures) // batch * batch].split(batch):
            seen, answers = mirror(pictures[index], labels[index], generator)
            pixels = jitter(seen.float() / 255, generator).to(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                logits = judge(pixels)
            losses = [cross_entropy(logits[q].float(), answers[:, i], ignore_index=IGNORED, reduction="sum")
                      for i, q in enumerate(QUESTIONS)]
            loss = sum(losses) / batch
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer, schedule in zip(optimizers, schedules):
                optimizer.step()
                schedule.step()
            step, sum_loss = step + 1, sum_loss + loss.item()
            if step % 100 == 0:
                print(f"step {step}/{steps} loss {sum_loss / 100:.3f} {time.time() - start:.0f} s", flush=True)
                sum_loss = 0.0


def accuracy(judge, vae, painter, folder, count):
    """Of unseen drawings: {question: share of right answers}, asked only where there is something to read; how many."""
    pixels, lines = drawings(painter, folder, FIRST_UNSEEN, count)
    answers = read(judge, decode(vae, encode(vae, pixels)).float() / 255)
    shares = {}
    for question in QUESTIONS:
        asked = [(a, truth(line)) for a, line in zip(answers, lines) if truth(line)[question] != "absent"]
        shares[question] = sum(a[question] == t[question] for a, t in asked) / max(1, len(asked))
    return shares, len(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="data/models/critters")
    parser.add_argument("--painter", default="build/critters-draw")
    parser.add_argument("--out", default=str(Path("~/.cache/critters/judge.pt").expanduser()))
    parser.add_argument("--pictures", type=int, default=24000)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()

    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    vae = AutoencoderKL.from_pretrained(options.model, subfolder="vae", torch_dtype=torch.float32).eval()
    folder = Path(options.out).parent / "judge-drawings"
    pictures, labels = training_set(vae, options.painter, folder, options.pictures, generator)
    judge = Judge().to(memory_format=torch.channels_last)
    train(judge, pictures, labels, options.epochs, generator)

    shares, drawings_read = accuracy(judge, vae, options.painter, folder, 2000)
    torch.save({"state": judge.state_dict(), "accuracy": shares, "drawings": drawings_read,
                "vae": vae_fingerprint(options.model)}, options.out)
    for question, share in shares.items():
        print(f"{question:20} {share:7.2%}{'' if share >= 0.99 else '   below 99%: not to be trusted'}")


if __name__ == "__main__":
    main()
