"""make_golden_prompts.py - guidance_rescale, clip_skip and prompt weights, on the models of make_golden_runs.py

    python tests/make_golden_prompts.py [folder]              (default: tests/golden/prompts)

weights.jsonl.gz holds prompts with brackets and what becomes of them by tests/prompt_weights.py, one a line:
[prompt, [[text, weight], ...]]. golden.safetensors holds for each NAME of RUNS, which stand once more in
tests/parity/test_prompts_parity.c, what StableDiffusionPipeline does with the models of tests/golden/runs:

    NAME.text_embeddings [2 or 1, 14, D]     of the first 14 tokens
    NAME.weights [2 or 1, L]                 of all tokens, where brackets are read
    NAME.noise_pred [4, h, w]                of the first step, after guidance
    NAME.latents [4, h, w]                   after the last
"""

import gzip
import json
import os
import random
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline
from diffusers.utils.logging import disable_progress_bar
from make_golden_runs import NEGATIVE, PROMPT, Watch
from prompt_weights import allow_clip_skip, parse, weighted_embeddings
from safetensors.torch import save_file

SIDE, STEPS, TOKENS = 16, 5, 14
WEIGHTED = "a ((pink)) cat (wearing:1.3) a [crown], \\(at\\) (night:0.5"
# 3 tokens a time, then bytes: the cut goes through a word that falls into pieces, inside a bracket
LONG = "a (pink cat:1.2) " * 24 + "(hippopotamus:1.5) at night"

# name: model, scheduler (None: the model's own), guidance, prompt, negative prompt, seed, then what is special
RUNS = {
    "rescale": ("sd1", None, 7.5, PROMPT, NEGATIVE, 1, {"guidance_rescale": 0.7}),
    "rescale_v": ("sd2", EulerDiscreteScheduler, 15.0, PROMPT, "", 2, {"guidance_rescale": 1.0}),
    "skip": ("sd1", None, 7.5, PROMPT, NEGATIVE, 3, {"clip_skip": 1}),
    "skip_all": ("sd1", None, 1.0, PROMPT, "", 4, {"clip_skip": 2}),
    "skip_sd2": ("sd2", None, 4.0, PROMPT, "", 5, {"clip_skip": 1}),
    "weights": ("sd1", None, 7.5, WEIGHTED, "(blurry:0) hat", 6, {"weights": True}),
    "weights_sd2": ("sd2", None, 1.0, WEIGHTED, "", 7, {"weights": True}),
    "weights_long": ("sd1", EulerDiscreteScheduler, 3.0, LONG, "[[hat]]", 8, {"weights": True}),
    "all": ("sd2", None, 7.5, WEIGHTED, "(hat)", 9, {"weights": True, "clip_skip": 1, "guidance_rescale": 0.5}),
}

# ---- brackets --------------------------------------------------------------------------------------------------------

FIXED = [
    "", "normal text", "an (important) word", "(unbalanced", "unbalanced)", "[unbalanced", "unbalanced]", "\\(literal\\]",
    "(unnecessary)(parens)", "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).", "(:1.2)", "()", "[]", "(a:)", "(a:b)",
    "(a:nan)", "(a:1e9)", "(a:inf)", "(a:-1)", "(a:+.5)", "(a: 1.5 )", "(a :1.5)", "a:1.5)", "[a:1.5]", "([a:1.5)]",
    "(a[b)c]", "[a(b]c)", "\\", "\\\\", "\\a", "(a\\)b:2)", "(a\\:2)", "((a:2):3)", "(a:2)(b:2)c(d:2)", "(a:1)b", "(a:1:2)",
    "(a\n:\t2)", "[cat:dog:0.5]", "a BREAK b", "(ein Bär:1.2), (熊:0.8) [🐻]", "(\u00a0:2)", "(a:１.５)", "(((a)))[[[a]]]",
]  # fmt: skip


def random_prompts(count):
    draw = random.Random(1)
    parts = ["(", "(", "[", ")", ")", "]", "\\", ":", ":1.3)", ":0.7)", ": 2 )", ":.5)", "a", " cat", "pink ", ", ", "é", "\\("]
    return ["".join(draw.choice(parts) for _ in range(draw.randint(3, 16))) for _ in range(count)]


def write_brackets(path):
    lines = [json.dumps([prompt, parse(prompt)], ensure_ascii=False) for prompt in FIXED + random_prompts(200)]
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as gz:
        gz.write("".join(line + "\n" for line in lines).encode())


# ---- runs ------------------------------------------------------------------------------------------------------------


def draw(name):
    model, scheduler, guidance, prompt, negative, seed, special = RUNS[name]
    special, folder = dict(special), os.path.join(os.path.dirname(__file__), "golden", "runs", model)
    pipeline = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    allow_clip_skip(pipeline)
    if scheduler:
        pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config)
    watch, tensors = Watch(pipeline.scheduler), {}
    if special.pop("weights", False):
        # Like diffusers, clip_skip leaves the negative prompt as it is.
        pairs = [weighted_embeddings(pipeline, negative), weighted_embeddings(pipeline, prompt, special.get("clip_skip"))]
        (negative_embeds, _), (embeds, _) = pairs
        rows = pairs if guidance > 1 else pairs[1:]
        tensors["weights"] = torch.stack([weights for _, weights in rows])
    else:
        embeds, negative_embeds = pipeline.encode_prompt(prompt, "cpu", 1, True, negative,
                                                         clip_skip=special.get("clip_skip"))  # fmt: skip
    rows = torch.cat([negative_embeds, embeds]) if guidance > 1 else embeds
    latents = pipeline(prompt_embeds=embeds, negative_prompt_embeds=negative_embeds, num_inference_steps=STEPS,
                       guidance_scale=guidance, generator=torch.Generator().manual_seed(seed), width=SIDE, height=SIDE,
                       output_type="latent", **special).images[0]  # fmt: skip
    print(f"{name:14} latents {latents.std():7.3f}  noise_pred {watch.noise_pred[0].std():6.3f}  "
          f"embeddings {rows.mean():.4f} +- {rows.std():.3f}")  # fmt: skip
    assert torch.isfinite(latents).all(), name
    return tensors | {"text_embeddings": rows[:, :TOKENS], "noise_pred": watch.noise_pred[0], "latents": latents}


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "golden", "prompts")
    os.makedirs(folder, exist_ok=True)
    torch.set_num_threads(1)
    disable_progress_bar()
    write_brackets(os.path.join(folder, "weights.jsonl.gz"))
    with torch.no_grad():
        tensors = {f"{name}.{key}": value.contiguous() for name in RUNS for key, value in draw(name).items()}
    save_file(tensors, os.path.join(folder, "golden.safetensors"))


main()
