"""reference_attention.py - who looked at what: the maps of `sculpt --trace-attention`, and diffusers'

    python tests/reference_attention.py [PROGRAM]     (reference.py runs it, too; default: ./sculpt)

sculpt draws a few guided steps and leaves a trace with each head's maps, and another with the heads' mean. What its U-Net
was given at a step, latents, timestep and text embeddings, diffusers' U-Net gets, too, with a processor in its
cross-attention layers that keeps the probabilities; and transformers' text encoder is asked for its own. All maps must
be there under the layers' names, and be equal within BOUND of 1.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import diffusers
import torch
import transformers
from diffusers.models.attention_processor import AttnProcessor
from safetensors.torch import load_file

MODELS = ["data/models/critters", "tests/golden/runs/sd1", "tests/golden/runs/sd2"]
PROMPT, NEGATIVE = "a pygmy hippo wearing sunglasses on the beach", "a red cat"
STEPS = 3
BOUND = 1e-5
EXACT = ["--kernel", "conv2d=blas", "--kernel", "linear=blas", "--kernel", "attention=blas"]


def draw(program, folder, option):
    with tempfile.TemporaryDirectory() as scratch:
        trace = pathlib.Path(scratch) / "trace.safetensors"
        command = [program, "draw", "-m", folder, "--scheduler", "ddim", "-s", str(STEPS), "-g", "4", "--seed", "1",
                   "-n", NEGATIVE, "-o", f"{scratch}/out.png", "--trace", str(trace), option, *EXACT, "--", PROMPT]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().split("\n")[-1])
        return load_file(trace)


class Keeping(AttnProcessor):
    """Attention as diffusers writes it out, which also keeps the probabilities of the last row: [heads, pixels, tokens]"""

    def __init__(self, kept, name):
        super().__init__()
        self.kept, self.name = kept, name

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, *others, **named):
        query = attn.head_to_batch_dim(attn.to_q(hidden_states))
        key = attn.head_to_batch_dim(attn.to_k(encoder_hidden_states))
        self.kept[self.name] = attn.get_attention_scores(query, key)[-attn.heads:]
        return super().__call__(attn, hidden_states, encoder_hidden_states, *others, **named)


def unet_maps(unet, trace, k):
    """Of step k, by layer: [heads, tokens, h, w]"""
    kept = {}
    unet.set_attn_processor({name: Keeping(kept, name) if ".attn2." in name else processor
                             for name, processor in unet.attn_processors.items()})  # fmt: skip
    latents, embeddings = trace[f"latents.{k}"].expand(2, -1, -1, -1), trace["text_embeddings"]
    unet(latents, trace["timesteps"][k], embeddings)
    maps = {}
    for name, probabilities in kept.items():
        height, width = latents.shape[-2:]
        while height * width > probabilities.shape[1]:
            height, width = (height + 1) // 2, (width + 1) // 2
        layer = name.replace(".transformer_blocks.0.attn2.processor", "")
        maps[f"attention.{k}.{layer}"] = probabilities.transpose(1, 2).unflatten(2, (height, width))
    return maps


def text_maps(encoder, trace):
    """By layer: [heads, tokens, tokens]"""
    attentions = encoder(trace["input_ids"], output_attentions=True).attentions
    return {f"text_attention.layers.{i}": layer[-1] for i, layer in enumerate(attentions)}


def compare(program, folder):
    """The largest difference of the U-Net's maps and of the text encoder's"""
    heads, mean = draw(program, folder, "--trace-attention=heads"), draw(program, folder, "--trace-attention")
    unet = diffusers.UNet2DConditionModel.from_pretrained(folder, subfolder="unet", torch_dtype=torch.float32)
    encoder = transformers.CLIPTextModel.from_pretrained(folder, subfolder="text_encoder", dtype=torch.float32,
                                                         attn_implementation="eager")  # fmt: skip
    maps, words = {}, text_maps(encoder, heads)
    for k in range(STEPS):
        maps |= unet_maps(unet, heads, k)
    for ours in (heads, mean):
        names = {name for name in ours if "attention" in name}
        if names != maps.keys() | words.keys():
            raise RuntimeError(f"other maps: {sorted(names ^ (maps.keys() | words.keys()))}")
    off = [(ours - theirs).abs().max() for name, theirs in maps.items()
           for ours, theirs in ((heads[name], theirs), (mean[name], theirs.mean(0)))]  # fmt: skip
    words_off = [(heads[name] - theirs).abs().max() for name, theirs in words.items()]
    return float(torch.stack(off).max()), float(torch.stack(words_off).max())


def run(program):
    """How many models passed, and how many failed"""
    passed = failed = 0
    print(f"\n{'attention, largest difference':<28} {'U-Net':>10} {'text':>9}   bound {BOUND:.0e}")
    for folder in MODELS:
        try:
            with torch.no_grad():
                figures, why = compare(program, folder), ""
        except RuntimeError as error:
            figures, why = (1.0, 1.0), f"\n    {error}"
        good = all(figure <= BOUND for figure in figures)
        print(f"{'ok  ' if good else 'FAIL'} {folder:<23} {figures[0]:11.1e} {figures[1]:9.1e}{why}", flush=True)
        passed, failed = passed + good, failed + (not good)
    return passed, failed


if __name__ == "__main__":
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    passed, failed = run(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "./sculpt"))
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(failed > 0 or passed == 0)
