# unpack.py - export.py backwards: fills an empty cache from an exported folder, so that training can go on from it
#
# Where: on a machine that has the tree but not the checkpoints (a GPU lent for an hour, a colleague's laptop).
# The optimisers' memory is not in the folder, so training warms up again; nothing else is lost but fp16's rounding.
#
#     python unpack.py                [--model FOLDER]

import json
import shutil
from pathlib import Path

from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from common import options, save_checkpoint
from train import Model

HERE = Path(__file__).resolve().parent


def main():
    o = options("fill the cache from an exported model", model=str(HERE.parents[1] / "models/critters"))
    folder = Path(o.model)
    for name in ("vae", "model"):
        if (o.cache / name / "last.pt").exists():
            raise SystemExit(f"{o.cache / name}/last.pt is there already; move it away, or choose another --cache")
    shutil.copytree(folder / "tokenizer", o.cache / "tokenizer", dirs_exist_ok=True)

    vae = AutoencoderKL.from_pretrained(folder / "vae")
    weights = vae.float().state_dict()
    save_checkpoint(o.cache / "vae", {"vae": weights, "average": weights, "step": 0, "minutes": 0.0, "optimizers": [],
                                      "scaling_factor": vae.config.scaling_factor})

    model = Model(CLIPTokenizer.from_pretrained(o.cache / "tokenizer"))
    model.text_encoder.load_state_dict(CLIPTextModel.from_pretrained(folder / "text_encoder").float().state_dict())
    model.unet.load_state_dict(UNet2DConditionModel.from_pretrained(folder / "unet").float().state_dict())
    weights = model.state_dict()
    samples = json.loads((folder / "training.json").read_text())["samples"]
    save_checkpoint(o.cache / "model", {"model": weights, "average": weights, "step": 0, "minutes": 0.0, "optimizers": [],
                                        "samples": samples})
    print(f"{o.cache}: vae and model as exported after {samples} samples; next: latents.py (drawings must be there), train.py")


if __name__ == "__main__":
    main()
