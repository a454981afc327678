# train.py - trains the U-Net and the text encoder together, on latents
#
# Where: after latents.py. What sculpt and diffusers run later is what this leaves in its moving average.
# Elsewhere: diffusers' examples/text_to_image/train_text_to_image.py (which keeps the text encoder frozen).
# Papers: Ho et al. 2020 (arXiv 2006.11239), algorithm 1; Ho & Salimans 2022 (2207.12598) for the empty captions;
# Hang et al. 2023 (2303.09556) for the weights; Toker et al. 2025 (2501.06751) for the padding.
# Read next: export.py.
#
#     python train.py --minutes 70                        two cores; continues where it was cut
#     python train.py --minutes 140                       another 70 minutes later
#     python train.py --device cuda --batch 512 --minutes 15

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTokenizer

from common import (Log, MovingAverage, Schedule, average_over_workers, in_workers, load_captions, load_checkpoint, load_kinds,
                    options, save_checkpoint, save_sheet, set_learning_rate)
from latents import load_vae
from models import make_pipeline, make_scheduler, make_text_encoder, make_unet, parameters_of
from muon import Muon


class Model(torch.nn.Module):
    """The two that are trained, under one roof: one optimiser, one moving average, one checkpoint."""

    def __init__(self, tokenizer):
        super().__init__()
        self.text_encoder = make_text_encoder(tokenizer)
        self.unet = make_unet()
        self.register_buffer("empty", tokenizer("", padding="max_length", max_length=77, return_tensors="pt").input_ids,
                             persistent=False)                 # [1, 77], the ids of ""
        self.end = tokenizer.eos_token_id

    def states(self, ids, swap):
        """Ids [B, 77] -> states [B, 77, D]; where swap [B], padding says what it says behind an empty prompt.

        Causal attention lets padding see the whole caption, so meaning likes to move there, out of the words. Half the
        time it finds nothing there: then the words must carry it, and maps of single words show what they mean.
        """
        states = self.text_encoder(torch.cat([ids, self.empty]))[0]
        states, empty = states[:-1], states[-1:]
        place = torch.arange(ids.size(1), device=ids.device)
        padding = place > (ids == self.end).int().argmax(dim=1, keepdim=True)          # behind the first end token
        return torch.where((padding & swap[:, None])[..., None], empty, states)

    def loss(self, latents, ids, swap, noise, t, alphas_cumprod):
        """latents, noise [B, 4, 16, 16]; t [B].

            x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) noise         the U-Net sees x_t and t, and says what the noise was
            weight = min(snr, 5) / snr                        snr = a_t / (1 - a_t): nearly clean ones count less
        """
        a = alphas_cumprod[t]
        noisy = a.sqrt()[:, None, None, None] * latents + (1 - a).sqrt()[:, None, None, None] * noise
        noise_pred = self.unet(noisy, t, encoder_hidden_states=self.states(ids, swap)).sample
        error = (noise_pred.float() - noise).square().mean(dim=(1, 2, 3))
        snr = a / (1 - a)
        return (error * snr.clamp(max=5) / snr).mean()


class Pictures:
    """latents-SPLIT.pt on the device, and batches of it."""

    def __init__(self, path, device):
        data = torch.load(path, map_location=device)
        self.mean, self.std, self.ids = data["mean"], data["std"], data["ids"]
        self.scaling_factor = data["scaling_factor"]

    def batch(self, which, sentence):
        """Picture numbers and sentence numbers [B] -> latents drawn from the posterior [B, 4, 16, 16], ids [B, 77]."""
        mean, std = self.mean[which].float(), self.std[which].float()
        return (mean + std * torch.randn_like(mean)) * self.scaling_factor, self.ids[which, sentence].long()


def chances(kinds, share):
    """How often each picture is drawn for training. Two animals are a fifth of the pictures and most of what there is to
    learn (who wears what, who is left), so `share` of the draws are pairs: [N], for torch.multinomial.
    """
    two = torch.tensor([kind == "two" for kind in kinds])
    return torch.where(two, share / two.sum(), (1 - share) / (~two).sum())


def optimizers_for(model, lr):
    """Muon for the weights inside; AdamW for embeddings, biases, norms, and the convolutions that touch latents."""
    outer = {id(p) for p in [*model.text_encoder.get_input_embeddings().parameters(), *model.unet.conv_in.parameters(),
                             *model.unet.conv_out.parameters()]}
    outer |= {id(p) for name, p in model.named_parameters() if p.ndim < 2 or "position_embedding" in name}
    return [Muon([p for p in model.parameters() if id(p) not in outer], lr),
            torch.optim.AdamW([p for p in model.parameters() if id(p) in outer], lr, betas=(0.9, 0.99), weight_decay=0)]


@torch.no_grad()
def held_out_loss(model, held, alphas_cumprod, device):
    """On drawings never trained on, always with the same noise and timesteps, so that numbers compare."""
    generator = torch.Generator("cpu").manual_seed(0)
    n, total = min(256, len(held.mean)), 0.0
    t = (torch.arange(n) * 1000 // n).to(device)
    noise = torch.randn(n, *held.mean.shape[1:], generator=generator).to(device)
    latents = held.mean[:n].float() * held.scaling_factor
    for part in torch.arange(n, device=device).split(32):
        with torch.autocast(device, torch.bfloat16):
            loss = model.loss(latents[part], held.ids[part, 0].long(), part % 2 == 0, noise[part], t[part], alphas_cumprod)
        total += loss.item() * len(part) / n
    return total


def train(o, rank):
    folder, device = o.cache / "model", o.device
    tokenizer = CLIPTokenizer.from_pretrained(o.cache / "tokenizer")
    data, held = (Pictures(o.cache / f"latents-{split}.pt", device) for split in ("train", "held"))
    held.scaling_factor = data.scaling_factor
    chance = chances(load_kinds(o.cache / "train"), o.pairs).to(device)
    alphas_cumprod = make_scheduler().alphas_cumprod.to(device)

    torch.manual_seed(o.seed)
    model = Model(tokenizer).to(device)
    if device == "cpu":                                        # plain matrix products: torch's CPU flash attention is slow to train
        model.unet.set_attn_processor(AttnProcessor())
        model.text_encoder.set_attn_implementation("eager")
    average = MovingAverage(model, decay=o.ema)
    optimizers, step, samples, elapsed = optimizers_for(model, o.lr), 0, 0, 0.0
    found = load_checkpoint(folder, device)
    if found:
        model.load_state_dict(found["model"])
        average.model.load_state_dict(found["average"])
        for optimizer, state in zip(optimizers, found["optimizers"]):                  # none after unpack.py
            optimizer.load_state_dict(state)
        step, samples, elapsed = found["step"], found["samples"], found["minutes"]
    torch.manual_seed(np.random.default_rng([o.seed, rank, step]).integers(2 ** 31))   # another stream a worker and a start

    log = Log(folder / "log.txt") if rank == 0 else lambda line: None
    log(f"{parameters_of(model.unet)} + {parameters_of(model.text_encoder)} parameters, {len(data.mean)} pictures, "
        f"from step {step}, {samples} samples, minute {elapsed:.1f}")
    schedule = Schedule(o.minutes, elapsed)
    minute = saved = drawn = elapsed
    sum_loss, before = 0.0, (samples, minute)
    while minute < o.minutes:
        set_learning_rate(optimizers, schedule.factor(step, minute))
        b = o.batch
        which = torch.multinomial(chance, b, replacement=True)
        latents, ids = data.batch(which, torch.randint(data.ids.size(1), (b,), device=device))
        ids = torch.where(torch.rand(b, 1, device=device) < 0.1, model.empty, ids)     # guidance needs to know "no prompt" too
        swap = torch.rand(b, device=device) < 0.5
        t = ((torch.arange(b, device=device) + torch.rand(b, device=device)) * 1000 / b).long()   # evenly spread: less noise
        with torch.autocast(device, torch.bfloat16):
            loss = model.loss(latents, ids, swap, torch.randn_like(latents), t, alphas_cumprod)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        minute = average_over_workers(model.parameters(), schedule.minute())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        average.update(model, step)
        step, samples, sum_loss = step + 1, samples + b * o.workers, sum_loss + loss.detach()

        if step % 50 == 0:
            rate = (samples - before[0]) / max(1e-9, minute - before[1]) / 60
            log(f"step {step}  minute {minute:.1f}  samples {samples}  loss {sum_loss.item() / 50:.4f}  {rate:.1f} samples/s")
            sum_loss, before = 0.0, (samples, minute)
        last = minute >= o.minutes
        if rank == 0 and (minute - saved > o.save_every or last):
            saved = minute
            save_checkpoint(folder, {"model": model.state_dict(), "average": average.model.state_dict(), "step": step,
                                     "samples": samples, "minutes": minute, "optimizers": [x.state_dict() for x in optimizers]})
            log(f"step {step}  held-out loss {held_out_loss(average.model, held, alphas_cumprod, device):.4f}")
            if minute - drawn > o.draw_every or last:
                drawn = minute
                prompts = [texts[i % len(texts)] for i, texts in enumerate(load_captions(o.cache / "held")[:16])]
                draw_sheet(average.model, tokenizer, o, folder / f"samples-{step:06d}.png", prompts)
                (folder / "samples.txt").write_text("\n".join(prompts) + "\n")


def draw_sheet(model, tokenizer, o, path, prompts):
    """Held-out prompts, 20 DDIM steps, guidance 5, seed 0: two rows of eight."""
    vae = load_vae(o.cache, o.device)
    vae.register_to_config(scaling_factor=Pictures(o.cache / "latents-train.pt", "cpu").scaling_factor)
    pipeline = make_pipeline(vae, model.text_encoder, tokenizer, model.unet)
    generator = torch.Generator("cpu").manual_seed(0)
    images = pipeline(prompts, num_inference_steps=20, guidance_scale=5.0, generator=generator, output_type="np").images
    save_sheet(path, (images * 255).round().astype(np.uint8), columns=8)


if __name__ == "__main__":
    in_workers(train, options("train the model", minutes=70.0, batch=32, lr=2e-3, ema=0.999, pairs=0.4, save_every=5.0, draw_every=9.0,
                              seed=0, workers=0))
