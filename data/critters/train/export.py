# export.py - writes what was learnt as a diffusers folder, fp16, that diffusers and sculpt open alike
#
# Where: last. The default target is data/models/critters of this tree, the model that sculpt draws with.
# Elsewhere: StableDiffusionPipeline.save_pretrained, and what it leaves to be put right is put right here.
#
#     python export.py                [--to FOLDER]

import json
import shutil
from pathlib import Path

import torch
from transformers import CLIPTokenizer

from common import load_checkpoint, load_pictures, options, to_tensor
from latents import load_vae
from models import make_pipeline, parameters_of
from train import Model
from vae import psnr, round_trip

HERE = Path(__file__).resolve().parent


def trained_pipeline(cache):
    """The moving averages of the newest checkpoints, as a pipeline in float32."""
    tokenizer = CLIPTokenizer.from_pretrained(cache / "tokenizer")
    model = Model(tokenizer)
    model.load_state_dict(load_checkpoint(cache / "model", "cpu")["average"])
    vae = load_vae(cache)
    vae.register_to_config(scaling_factor=round(torch.load(cache / "latents-train.pt", mmap=True)["scaling_factor"], 6))
    return make_pipeline(vae, model.text_encoder.eval(), tokenizer, model.unet.eval())


def write_folder(pipeline, tokenizer_folder, folder):
    """Beside, then renamed: nobody ever opens half a model."""
    beside = folder.with_name(folder.name + ".writing")
    shutil.rmtree(beside, ignore_errors=True)
    for part in (pipeline.vae, pipeline.text_encoder, pipeline.unet):
        part.half()
    pipeline.save_pretrained(beside)
    shutil.copytree(tokenizer_folder, beside / "tokenizer", dirs_exist_ok=True)    # both forms
    config = json.loads((beside / "text_encoder/config.json").read_text())
    config["dtype"] = "float32"                                # else transformers 5 keeps fp16 and meets a float32 U-Net
    (beside / "text_encoder/config.json").write_text(json.dumps(config, indent=2) + "\n")
    for file in beside.rglob("*.safetensors"):
        file.chmod(0o644)
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)


def write_card(o, pipeline, folder):
    """README.md of the model, from card.md and today's figures; training.json, the same for unpack.py."""
    held = to_tensor(load_pictures(o.cache / "held")[:256])
    log = (o.cache / "model/log.txt").read_text().splitlines()
    figures = {
        "samples": load_checkpoint(o.cache / "model", "cpu")["samples"],
        "held_out_loss": float(next(line.split()[-1] for line in reversed(log) if "held-out loss" in line)),
        "held_out_psnr": round(psnr(round_trip(pipeline.vae.float(), held), held), 2)}
    (folder / "training.json").write_text(json.dumps(figures, indent=2) + "\n")
    sizes = {
        "unet": parameters_of(pipeline.unet), "text": parameters_of(pipeline.text_encoder), "vae": parameters_of(pipeline.vae),
        "pieces": len(pipeline.tokenizer), "megabytes": sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6}
    (folder / "README.md").write_text((HERE / "card.md").read_text().format(**figures, **sizes))
    print(figures, sizes)


if __name__ == "__main__":
    o = options("export the model", to=str(HERE.parents[1] / "models/critters"))
    pipeline = trained_pipeline(o.cache)
    write_folder(pipeline, o.cache / "tokenizer", Path(o.to))
    write_card(o, pipeline, Path(o.to))
