# lora.py - teaches the finished model one new thing, blueprints, with 64 pictures and 1.7% as many numbers as it has weights
#
# Where: after export.py; what it needs is in the tree (data/models/critters) and some drawings. It writes one small file,
# data/models/critters-blueprint.safetensors, for sculpt's --lora and diffusers' load_lora_weights.
# Elsewhere: diffusers' examples/dreambooth/train_dreambooth_lora.py; peft's LoraConfig.
# Papers: Hu et al. 2021, "LoRA" (arXiv 2106.09685); Ruiz et al. 2022, "DreamBooth" (2208.12242), section 3.3 for the prior.
# Read next: lora_report.py, which looks at what came of it.
#
#     critters-draw --split train --count 1024 --captions 8 --out CACHE/blueprint
#     python lora.py                  20 minutes on two cores; continues where it was cut
#
# A linear layer W [out, in] stays as it is. Beside it stand two thin matrices, the only ones that are trained:
#
#     y = W x + (alpha / r) B A x             A [r, in], random at first;  B [out, r], zero at first;  r = rank
#
# So it begins as the model that it was, and what it learns is W's change, held to rank r: (in + out) r numbers instead
# of in x out. Whoever opens the file adds weight (alpha / r) B A to W, once, and pays nothing afterwards. alpha is r here.

import re

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from diffusers.models.attention_processor import AttnProcessor
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, get_peft_model_state_dict
from PIL import Image

from common import (Log, Schedule, average_over_workers, in_workers, load_captions, load_checkpoint, load_pictures, options,
                    save_checkpoint, set_learning_rate, to_tensor)
from sample import HERE

MODELS = HERE.parents[1] / "models"
STOPS = [(6, 22, 70), (16, 60, 138), (70, 135, 205), (150, 195, 232), (245, 250, 255)]      # Prussian blue to paper
INKS = np.stack([np.interp(np.arange(256), np.linspace(0, 255, 5), c) for c in zip(*STOPS)], axis=1).round().astype(np.uint8)
MARGIN = 8                                                     # pixels of bare paper around the print: one latent


def blueprint(picture):
    """A drawing [128, 128, 3] as a blueprint (a cyanotype): every brightness has its blue, and a margin stays paper.

    No white lines on blue: the autoencoder, which never saw any, loses faces drawn like that. It keeps these.
    """
    out = INKS[np.asarray(Image.fromarray(picture).convert("L"))]
    out[:MARGIN] = out[-MARGIN:] = out[:, :MARGIN] = out[:, -MARGIN:] = INKS[-1]
    return out


def blueprint_caption(text):
    """The word that will stand for the style. The tokenizer spells it b l u e p r in t; no caption has it, so it is free."""
    asked = re.sub(r"^(a picture|a drawing|portrait) of", "a blueprint of", text)
    return asked if asked != text else f"{text}, as a blueprint"


def ids_of(tokenizer, texts):
    return tokenizer(texts, padding="max_length", truncation=True, max_length=77, return_tensors="pt").input_ids


class Lessons:
    """What is shown: a few drawings as blueprints, and many as they are, so that the rest is remembered.

    latents: mean and standard deviation of the posterior [N, 4, 16, 16]; captions: K sentences each.
    """

    @torch.no_grad()
    def __init__(self, pipeline, pictures, captions, change=lambda text: text):
        parts = np.array_split(pictures, -(-len(pictures) // 16))
        posteriors = [pipeline.vae.encode(to_tensor(part)).latent_dist for part in parts]
        self.mean = torch.cat([p.mean for p in posteriors])
        self.std = torch.cat([p.std for p in posteriors])
        self.scaling_factor = pipeline.vae.config.scaling_factor
        self.ids = torch.stack([ids_of(pipeline.tokenizer, [change(text) for text in texts]) for texts in captions])

    def batch(self, n):
        """n random ones -> latents [n, 4, 16, 16], ids [n, 77]."""
        which = torch.randint(len(self.mean), (n,))
        latents = self.mean[which] + self.std[which] * torch.randn_like(self.mean[which])
        return latents * self.scaling_factor, self.ids[which, torch.randint(self.ids.size(1), (n,))]


def open_pipeline():
    pipeline = StableDiffusionPipeline.from_pretrained(MODELS / "critters")
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def add_lora(pipeline, rank):
    """A and B beside the attention matrices of U-Net and text encoder; everything else is frozen. Returns all A and B."""
    for model, names in ((pipeline.unet, ["to_q", "to_k", "to_v", "to_out.0"]),
                         (pipeline.text_encoder, ["q_proj", "k_proj", "v_proj", "out_proj"])):
        model.requires_grad_(False)
        model.add_adapter(LoraConfig(r=rank, lora_alpha=rank, init_lora_weights="gaussian", target_modules=names))
    return [p for model in (pipeline.unet, pipeline.text_encoder) for p in model.parameters() if p.requires_grad]


def noise_pred(pipeline, noisy, t, ids):
    return pipeline.unet(noisy, t, encoder_hidden_states=pipeline.text_encoder(ids)[0]).sample.float()


@torch.no_grad()
def noise_pred_before(pipeline, noisy, t, ids):
    """What the model says without A and B."""
    for model in (pipeline.unet, pipeline.text_encoder):
        model.disable_adapters()
    before = noise_pred(pipeline, noisy, t, ids)
    for model in (pipeline.unet, pipeline.text_encoder):
        model.enable_adapters()
    return before


def loss_of(pipeline, style, prior, empty, batch, alphas_cumprod):
    """Half the batch are blueprints, and what was the noise is to be said, as in train.py. The other half is DreamBooth's
    prior preservation: plain drawings, where the model is to say what it said before.

    In both, some come without their caption, blueprints too: guidance goes away from what the empty prompt says, and if
    that never sees a blueprint in the noise, each step pushes from plain to blue, 7.5 times, and nothing but blue is left.
    """
    half = batch // 2
    (latents, ids), (plain, plain_ids) = style.batch(half), prior.batch(half)
    ids = torch.where(torch.rand(half, 1) < 0.1, empty, ids)
    plain_ids = torch.where(torch.rand(half, 1) < 0.3, empty, plain_ids)               # so one of four empty ones is blue
    t = ((torch.arange(half) + torch.rand(half)) * 1000 / half).long().repeat(2)       # evenly spread over both halves
    a = alphas_cumprod[t]
    x, ids = torch.cat([latents, plain]), torch.cat([ids, plain_ids])
    noise = torch.randn_like(x)
    noisy = a.sqrt()[:, None, None, None] * x + (1 - a).sqrt()[:, None, None, None] * noise
    target = torch.cat([noise[:half], noise_pred_before(pipeline, noisy[half:], t[half:], plain_ids)])
    error = (noise_pred(pipeline, noisy, t, ids) - target).square().mean(dim=(1, 2, 3))
    snr = a / (1 - a)
    weighted = error * snr.clamp(max=5) / snr                  # min-SNR, as in train.py
    return weighted[:half].mean(), weighted[half:].mean()


def write(pipeline, path):
    """One file, fp16, with diffusers' names: A is unet.LAYER.lora.down.weight, or in the text encoder
    text_encoder.LAYER.lora_linear_layer.down.weight; B is the same with up. No alpha is in it, and readers then take it to
    be r, which it is.
    """
    def layers(model):
        return {name: p.half() for name, p in convert_state_dict_to_diffusers(get_peft_model_state_dict(model)).items()}
    StableDiffusionPipeline.save_lora_weights(path.parent, layers(pipeline.unet), layers(pipeline.text_encoder),
                                              weight_name=path.name)
    path.chmod(0o644)


def train(o, rank):
    folder = o.cache / "blueprint"
    pictures, captions = load_pictures(folder), load_captions(folder)
    torch.manual_seed(o.seed)                                  # every worker begins with the same A
    pipeline = open_pipeline()
    pipeline.unet.set_attn_processor(AttnProcessor())          # plain matrix products, as in train.py
    pipeline.text_encoder.set_attn_implementation("eager")
    style = Lessons(pipeline, np.stack([blueprint(p) for p in pictures[:o.pictures]]), captions[:o.pictures], blueprint_caption)
    prior = Lessons(pipeline, pictures, captions)
    empty, alphas_cumprod = ids_of(pipeline.tokenizer, [""]), pipeline.scheduler.alphas_cumprod

    matrices = add_lora(pipeline, o.rank)
    optimizer, step, elapsed = torch.optim.AdamW(matrices, o.lr, betas=(0.9, 0.99), weight_decay=0), 0, 0.0
    found = load_checkpoint(folder, "cpu")
    if found:
        for p, saved in zip(matrices, found["matrices"]):
            p.data.copy_(saved)
        optimizer.load_state_dict(found["optimizer"])
        step, elapsed = found["step"], found["minutes"]
    torch.manual_seed(np.random.default_rng([o.seed, rank, step]).integers(2 ** 31))   # another stream a worker and a start

    log = Log(folder / "log.txt") if rank == 0 else lambda line: None
    log(f"{sum(p.numel() for p in matrices)} numbers in {len(matrices)} matrices, {o.pictures} blueprints, from step {step}, "
        f"minute {elapsed:.1f}")
    schedule = Schedule(o.minutes, elapsed)
    minute = saved = elapsed
    recent = []
    while minute < o.minutes:
        set_learning_rate([optimizer], schedule.factor(step, minute))
        with torch.autocast("cpu", torch.bfloat16):
            losses = loss_of(pipeline, style, prior, empty, o.batch, alphas_cumprod)
        optimizer.zero_grad()
        (losses[0] + o.prior * losses[1]).backward()
        minute = average_over_workers(matrices, schedule.minute())
        torch.nn.utils.clip_grad_norm_(matrices, 1.0)
        optimizer.step()
        step += 1
        recent.append([x.item() for x in losses])
        if step % 50 == 0:
            loss, drift = np.mean(recent, axis=0)
            log(f"step {step}  minute {minute:.1f}  loss {loss:.4f}  drift from before {drift:.5f}")
            recent.clear()
        if rank == 0 and (minute - saved > 3 or minute >= o.minutes):
            saved = minute
            save_checkpoint(folder, {"matrices": [p.detach() for p in matrices], "optimizer": optimizer.state_dict(),
                                     "step": step, "minutes": minute})
            write(pipeline, folder / "last.safetensors")
    if rank == 0:
        write(pipeline, MODELS / "critters-blueprint.safetensors")


if __name__ == "__main__":
    in_workers(train, options("teach the model blueprints", minutes=20.0, pictures=64, batch=32, rank=8, lr=2e-3, prior=3.0,
                              seed=0, workers=0))
