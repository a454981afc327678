# latents.py - encodes the pictures once, so that training the model never touches a pixel
#
# Where: after vae.py and tokenizer.py, before train.py.
# It keeps mean and standard deviation of each picture's posterior; train.py draws from it anew each time.
#
#     python latents.py               two minutes for 30,000 pictures on two cores; writes CACHE/latents-train.pt, -held.pt

import torch
from transformers import CLIPTokenizer

from common import in_workers, load_captions, load_checkpoint, load_pictures, options, to_tensor
from models import make_vae
from vae import encode


def load_vae(cache, device="cpu"):
    """The moving average of vae.py's newest checkpoint."""
    vae = make_vae().to(device)
    vae.load_state_dict(load_checkpoint(cache / "vae", device)["average"])
    return vae.eval().requires_grad_(False)


@torch.no_grad()
def encode_share(o, rank):
    """Each worker takes one stretch of the pictures: [n, 3, 128, 128] -> mean, std [n, 4, 16, 16]."""
    vae = load_vae(o.cache, o.device)
    for split in ("train", "held"):
        pictures = load_pictures(o.cache / split)
        begin, end = (len(pictures) * r // o.workers for r in (rank, rank + 1))
        means, stds = [], []
        for i in range(begin, end, o.batch):
            with torch.autocast(o.device, torch.bfloat16):
                mean, logvar = encode(vae, to_tensor(pictures[i:min(i + o.batch, end)], o.device))
            means.append(mean.half().cpu())
            stds.append(torch.exp(0.5 * logvar).half().cpu())
        torch.save((torch.cat(means), torch.cat(stds)), o.cache / f"share-{split}-{rank}.pt")


def join_shares(o):
    tokenizer = CLIPTokenizer.from_pretrained(o.cache / "tokenizer")
    scaling_factor = load_checkpoint(o.cache / "vae", "cpu").get("scaling_factor")     # fixed once a model was trained on it
    for split in ("train", "held"):
        paths = [o.cache / f"share-{split}-{rank}.pt" for rank in range(o.workers)]
        means, stds = (torch.cat(x) for x in zip(*(torch.load(p) for p in paths)))
        captions = load_captions(o.cache / split)
        k = len(captions[0])
        ids = tokenizer([text for texts in captions for text in texts], padding="max_length", truncation=True,
                        max_length=77, return_tensors="pt").input_ids.short().view(len(captions), k, 77)
        if not scaling_factor:                                 # latents / their standard deviation: what the U-Net will see
            variance = (means.float().square() + stds.float().square()).mean() - means.float().mean().square()
            scaling_factor = 1 / variance.sqrt().item()
        torch.save({"mean": means, "std": stds, "ids": ids, "scaling_factor": scaling_factor}, o.cache / f"latents-{split}.pt")
        channels = [f"{means[:, c].float().mean():.2f} +- {means[:, c].float().std():.2f}" for c in range(4)]
        print(f"{split}: {len(means)} pictures, {k} captions each, scaling factor {scaling_factor:.4f}, channels {', '.join(channels)}")
        for p in paths:
            p.unlink()


if __name__ == "__main__":
    o = options("encode the pictures", batch=32, workers=0)
    in_workers(encode_share, o)
    join_shares(o)
