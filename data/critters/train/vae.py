# vae.py - trains the autoencoder: pictures [3, 128, 128] to latents [4, 16, 16] and back
#
# Where: first. Everything after sees pictures only through it, so what it blurs, the model can never draw sharp.
# Elsewhere: diffusers.AutoencoderKL; Rombach et al. 2022 (arXiv 2112.10752), section 3.1.
# Read next: latents.py, which encodes the training pictures once and for all.
#
#     python vae.py                   40 minutes on two cores; continues where it was cut
#     python vae.py --minutes 80      another 40 minutes later
#     python vae.py --minutes 100 --decoder-only      sharpens it once a model has been trained on its latents: these stay

import numpy as np
import torch

from common import (Log, MovingAverage, Schedule, average_over_workers, in_workers, load_checkpoint, load_pictures, options,
                    save_checkpoint, save_sheet, set_learning_rate, to_bytes, to_tensor)
from models import make_vae, parameters_of
from muon import Muon


def encode(vae, x):
    """Pictures [B, 3, H, W] -> mean and log variance of the posterior, each [B, 4, H/8, W/8]."""
    mean, logvar = vae.quant_conv(vae.encoder(x)).float().chunk(2, dim=1)
    return mean, logvar.clamp(-30, 20)


def decode(vae, z):
    return vae.decoder(vae.post_quant_conv(z)).float()


def edges(x):
    """Differences of neighbours, across and down: what outlines, eyes and glints are made of."""
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def loss_of(vae, x):
    mean, logvar = encode(vae, x)
    z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
    error = decode(vae, z) - x
    across, down = edges(error)
    kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(dim=(1, 2, 3)).mean()
    return error.abs().mean() + error.square().mean() + 0.5 * (across.abs().mean() + down.abs().mean()) + 1e-6 * kl


def draw_batch(pictures, numbers, batch, crop):
    """A random square of each of some random pictures. Convolutions don't mind, and small squares give more variety a second."""
    which = numbers.integers(0, len(pictures), batch)
    corners = numbers.integers(0, pictures.shape[1] - crop + 1, (batch, 2))
    return np.stack([pictures[i, y:y + crop, x:x + crop] for i, (y, x) in zip(which, corners)])


@torch.no_grad()
def round_trip(vae, x):
    return torch.cat([decode(vae, encode(vae, part)[0]) for part in x.split(16)])


def psnr(x, y):
    """Mean over pictures of the peak signal to noise ratio in dB; -1..1, so the peak is 2."""
    mse = (x.clamp(-1, 1) - y).square().mean(dim=(1, 2, 3))
    return (10 * torch.log10(4 / mse)).mean().item()


def optimizers_for(vae, lr):
    """Muon for the weights inside, AdamW for biases, norms and the layers that touch pixels or latents.

    Weights without a gradient (the encoder's, with --decoder-only) are left as they are by both.
    """
    def inside(p):
        return p.ndim >= 2 and p.size(0) > 8 and p.numel() // p.size(0) > 36
    return [Muon([p for p in vae.parameters() if inside(p)], lr),
            torch.optim.AdamW([p for p in vae.parameters() if not inside(p)], lr, betas=(0.9, 0.99), weight_decay=0)]


def train(o, rank):
    folder = o.cache / "vae"
    pictures = load_pictures(o.cache / "train")
    held = to_tensor(load_pictures(o.cache / "held")[:64], o.device)

    torch.manual_seed(o.seed)
    vae = make_vae().to(o.device)
    average = MovingAverage(vae, decay=0.995)
    optimizers, step, elapsed = optimizers_for(vae, o.lr), 0, 0.0
    found = load_checkpoint(folder, o.device)
    if found:
        vae.load_state_dict(found["vae"])
        average.model.load_state_dict(found["average"])
        for optimizer, state in zip(optimizers, found["optimizers"]):                  # none after unpack.py
            optimizer.load_state_dict(state)
        step, elapsed = found["step"], found["minutes"]
    if o.decoder_only:
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
    numbers = np.random.default_rng([o.seed, rank, step])      # another stream for each worker and each start
    torch.manual_seed(numbers.integers(2 ** 31))

    log = Log(folder / "log.txt") if rank == 0 else lambda line: None
    log(f"{parameters_of(vae)} parameters, {len(pictures)} pictures, from step {step}, minute {elapsed:.1f}")
    schedule = Schedule(o.minutes, elapsed)
    minute = saved = elapsed
    mean_loss = 0.0
    while minute < o.minutes:
        set_learning_rate(optimizers, schedule.factor(step, minute))
        full = minute > o.full_from * o.minutes                # whole pictures at last: attention in the middle sees them all
        size, batch = (128, max(1, o.batch // 2)) if full else (o.crop, o.batch)
        x = to_tensor(draw_batch(pictures, numbers, batch, size), o.device)
        with torch.autocast(o.device, torch.bfloat16):
            loss = loss_of(vae, x)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        minute = average_over_workers(vae.parameters(), schedule.minute())
        for optimizer in optimizers:
            optimizer.step()
        average.update(vae, step)
        step += 1
        mean_loss += loss.item() / 200
        if step % 200 == 0:
            log(f"step {step}  minute {minute:.1f}  loss {mean_loss:.4f}")
            mean_loss = 0.0
        if rank == 0 and (minute - saved > 4 or minute >= o.minutes):
            saved = minute
            save_checkpoint(folder, {"vae": vae.state_dict(), "average": average.model.state_dict(), "step": step,
                                     "optimizers": [x.state_dict() for x in optimizers], "minutes": minute,
                                     "scaling_factor": found and found.get("scaling_factor")})     # see unpack.py
            report(average.model, held, folder, log, step)


def report(vae, held, folder, log, step):
    """PSNR on pictures never trained on, and a sheet: a row of them, and the same after the round trip."""
    again = round_trip(vae, held)
    log(f"step {step}  held-out PSNR {psnr(again, held):.2f} dB")
    rows = [np.concatenate([to_bytes(held[i:i + 8]), to_bytes(again[i:i + 8])]) for i in (0, 8, 16)]
    save_sheet(folder / f"round-trip-{step:06d}.png", np.concatenate(rows), columns=8)


if __name__ == "__main__":
    in_workers(train, options("train the autoencoder", minutes=40.0, batch=8, crop=64, full_from=0.8, lr=2e-3, seed=0, workers=0,
                              decoder_only=False))
