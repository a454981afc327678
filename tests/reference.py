"""reference.py - whole runs of ./sculpt beside whole runs of diffusers, live

    python tests/reference.py [PROGRAM]              (default: ./sculpt)

Opens each model folder with diffusers' plain from_pretrained, draws with it, has sculpt draw the same with --trace,
and compares everything on the way. Token ids and timesteps must be equal; text embeddings, the noise predicted at
each step, the latents before and after each step and the predicted originals are compared by relative L2 (the worst
counts), the picture by PSNR. The goldens of `make test` froze some runs of diffusers once; here it is asked again,
with whatever version is installed, and with the small trained model, too. What a run is stands in RUNS. In the end
bf16 is held against torch's, see reference_precision.py, attention maps against diffusers', see
reference_attention.py, the exact denoiser against torch, see reference_exact.py, and diffusers reads the models as single files, see reference_single_file.py.
"""

import functools
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import diffusers
import make_golden_families
import numpy as np
import reference_attention
import reference_exact
import reference_precision
import reference_shortcuts
import reference_single_file
import torch
import transformers
from PIL import Image
from prompt_weights import allow_clip_skip, weighted_embeddings, weighted_ids
from safetensors.torch import load_file, save_file

MODELS = ["data/models/critters", "tests/golden/runs/sd1", "tests/golden/runs/sd2"]
SCHEDULERS = {
    "ddim": diffusers.DDIMScheduler, "euler": diffusers.EulerDiscreteScheduler, "ddpm": diffusers.DDPMScheduler,
    "euler_a": diffusers.EulerAncestralDiscreteScheduler, "heun": diffusers.HeunDiscreteScheduler,
    "pndm": diffusers.PNDMScheduler, "dpmpp_2m": diffusers.DPMSolverMultistepScheduler,
    "dpmpp_2m_sde": diffusers.DPMSolverMultistepScheduler, "dpmpp_1s": diffusers.DPMSolverSinglestepScheduler,
    "kdpm2": diffusers.KDPM2DiscreteScheduler, "unipc": diffusers.UniPCMultistepScheduler, "lcm": diffusers.LCMScheduler,
}  # fmt: skip
# What a class must be told to be the scheduler of this name
NAMED_BY = {"pndm": {"skip_prk_steps": True}, "dpmpp_2m_sde": {"algorithm_type": "sde-dpmsolver++"}}
EXACT = ["--kernel", "conv2d=blas", "--kernel", "attention=blas"]
BOUNDS = {"embeddings": 5e-6, "noise": 1e-4, "latents": 1e-4}
FASTEST_BOUNDS = {"embeddings": 1e-4, "noise": 1e-3, "latents": 1e-4}
PSNR_BOUND = 60

HIPPO = "a pygmy hippo wearing sunglasses on the beach"
RUNS = {
    "defaults": {"prompt": HIPPO, "steps": 20, "guidance": 7.5, "seed": 1},
    "defaults, fastest": {"prompt": HIPPO, "steps": 20, "guidance": 7.5, "seed": 1, "kernels": []},
    "negative prompt": {"prompt": "a Red CAT  and a dog", "negative": "a hat", "steps": 10, "guidance": 4, "seed": 7},
    "no guidance": {"prompt": "a fox left of an owl", "steps": 7, "guidance": 1, "seed": 2**32 + 5},
    "empty prompt": {"prompt": "", "steps": 5, "guidance": 7.5, "seed": 0},
    "long prompt": {"prompt": "a bear with a crown, " * 40, "steps": 3, "guidance": 3, "seed": 4},
    "other scripts": {"prompt": "ein Bär, 熊, 🐻", "steps": 3, "guidance": 12, "seed": 2},
    "ddim, 50 steps": {"prompt": HIPPO, "steps": 50, "guidance": 7.5, "seed": 2},
    "ddim, eta 0.7": {"prompt": HIPPO, "steps": 9, "guidance": 5, "seed": 3, "scheduler": "ddim", "eta": 0.7},
    "ddim, trailing": {"prompt": HIPPO, "steps": 7, "guidance": 5, "seed": 3, "scheduler": "ddim",
                       "config": {"timestep_spacing": "trailing"}},
    "euler": {"prompt": HIPPO, "steps": 20, "guidance": 7.5, "seed": 5, "scheduler": "euler"},
    "euler, leading": {"prompt": HIPPO, "steps": 11, "guidance": 2, "seed": 6, "scheduler": "euler",
                       "config": {"timestep_spacing": "leading"}},
    "another size": {"prompt": HIPPO, "steps": 5, "guidance": 7.5, "seed": 8, "size": (10, 6)},
    "latents": {"prompt": HIPPO, "steps": 5, "guidance": 7.5, "seed": 9, "latents": True},
    "image to image": {"prompt": "a green frog", "steps": 20, "guidance": 5, "seed": 10, "strength": 0.6},
    "image to image, euler": {"prompt": "a green frog", "steps": 10, "guidance": 5, "seed": 11, "strength": 0.35,
                              "scheduler": "euler"},
    "image to image, resized": {"prompt": "a green frog", "steps": 10, "guidance": 5, "seed": 12, "strength": 0.5,
                                "init_size": (200, 75)},
    "mask": {"prompt": "a green frog", "steps": 20, "guidance": 7.5, "seed": 14, "strength": 1.0, "mask": True},
    "mask, resized": {"prompt": "a green frog", "steps": 10, "guidance": 1, "seed": 15, "strength": 0.5, "mask": True,
                      "init_size": (200, 75), "mask_size": (60, 170)},
}  # fmt: skip
RUNS |= {
    "clip_skip": {"prompt": HIPPO, "negative": "a hat", "steps": 8, "guidance": 7.5, "seed": 14, "clip_skip": 1},
    "clip_skip, no guidance": {"prompt": HIPPO, "steps": 5, "guidance": 1, "seed": 15, "clip_skip": 2},
    # Here rounding grows more than elsewhere, whatever the kernels: 1.2e-4 of the noise with naive ones, 1.3e-4 with AVX2's.
    "guidance_rescale": {"prompt": HIPPO, "steps": 20, "guidance": 7.5, "seed": 16, "guidance_rescale": 0.7,
                         "bounds": {"noise": 3e-4}},
    "rescaled, trailing": {"prompt": HIPPO, "steps": 9, "guidance": 15, "seed": 17, "guidance_rescale": 1.0,
                           "scheduler": "euler", "config": {"timestep_spacing": "trailing"}},
    "prompt weights": {"prompt": "a ((pygmy)) hippo (wearing sunglasses:1.3) on the [beach", "negative": "(hat:0.5), \\(",
                       "steps": 8, "guidance": 7.5, "seed": 18, "prompt_weights": True},
    "all three": {"prompt": "a (red:1.2) cat and a [blue] dog, " * 10, "steps": 8, "guidance": 3, "seed": 20,
                  "prompt_weights": True, "clip_skip": 1, "guidance_rescale": 0.5},
}  # fmt: skip
RUNS |= {name: {"prompt": HIPPO, "steps": 11, "guidance": 3, "seed": 12, "scheduler": name} for name in SCHEDULERS
         if name not in ("ddim", "euler")}  # fmt: skip
RUNS["dpmpp_2m, Karras"] = {"prompt": HIPPO, "steps": 11, "guidance": 3, "seed": 13, "scheduler": "dpmpp_2m",
                            "config": {"use_karras_sigmas": True}}  # fmt: skip
RUNS |= reference_shortcuts.RUNS
# Inpainting with each, from noise alone and from a noisy picture
RUNS |= {f"mask, {name}, {strength}": {"prompt": HIPPO, "steps": 9, "guidance": 3, "seed": 16, "scheduler": name,
                                       "strength": strength, "mask": True}
         for name in SCHEDULERS for strength in (1.0, 0.6)}  # fmt: skip

# Of models beyond plain Stable Diffusion, put together on the spot
WAVES = {"prompt": "a green frog", "steps": 6, "guidance": 5, "seed": 10, "strength": 0.5}
FAMILY_RUNS = {
    "lcm": {
        "4 steps": {"prompt": HIPPO, "steps": 4, "guidance": 8.5, "seed": 1},
        "negative prompt": {"prompt": HIPPO, "negative": "a hat", "steps": 8, "guidance": 7.3, "seed": 2},
        "no guidance": {"prompt": HIPPO, "steps": 3, "guidance": 1, "seed": 3},
        "guidance 0": {"prompt": HIPPO, "steps": 3, "guidance": 0, "seed": 3},
        "euler": {"prompt": HIPPO, "steps": 7, "guidance": 3, "seed": 4, "scheduler": "euler"},
        "image to image": WAVES,
    },
    "lcm_tiny": {"image to image": WAVES},
    "distilled": {"defaults": RUNS["defaults"], "fastest": RUNS["defaults, fastest"], "image to image": WAVES},
    "turbo": {f"{n} step{'s' * (n > 1)}": {"prompt": HIPPO, "steps": n, "guidance": 0, "seed": n} for n in (1, 2, 4)}
    | {"image to image": WAVES | {"steps": 2, "guidance": 0}},
    "tiny": {"defaults": RUNS["defaults"], "fastest": RUNS["defaults, fastest"], "image to image": WAVES,
             "mask, ddpm, 1.0": RUNS["mask, ddpm, 1.0"], "mask, ddpm, 0.6": RUNS["mask, ddpm, 0.6"]},
    "inpaint": {name: run for name, run in RUNS.items() if "mask" in run},
}

# With LoRAs: file and weight
RABBIT = {"prompt": "a sad white rabbit in space, as a blueprint", "steps": 20, "guidance": 4, "seed": 1}
STYLE, OTHER = "tests/golden/lora/style", "tests/golden/lora/other"
LORA_RUNS = {
    "data/models/critters": {
        "a LoRA": RABBIT | {"loras": {"data/models/critters-blueprint": 1.0}},
        "a LoRA, half, fastest": RABBIT | {"loras": {"data/models/critters-blueprint": 0.5}, "kernels": []},
    },
    "tests/golden/runs/sd1": {
        "a LoRA of kohya's": RABBIT | {"loras": {f"{STYLE}_kohya": 1.3}},
        "two LoRAs": RABBIT | {"loras": {STYLE: 0.7, OTHER: -0.3}},
    },
}  # fmt: skip

# ---- what goes in ----------------------------------------------------------------------------------------------------


def pixel_size(pipeline, run):
    """Width and height of a run's picture."""
    side = pipeline.unet.config.sample_size
    width, height = run.get("size", (side, side))
    return width * pipeline.vae_scale_factor, height * pipeline.vae_scale_factor


def init_picture(pipeline, run):
    """Something to paint over: smooth waves of colour, the same each time; of the run's size if not of another."""
    width, height = run.get("init_size", pixel_size(pipeline, run))
    y, x = np.mgrid[0:height, 0:width] / 16.0
    waves = np.stack([np.sin(x), np.cos(y), np.sin(x + y)], axis=-1)
    return Image.fromarray(((waves + 1) * 127.5).astype(np.uint8))


def mask_picture(pipeline, run):
    """Where to paint: a disc to the left of the middle, grey towards its edge."""
    width, height = run.get("mask_size", pixel_size(pipeline, run))
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot(x / width - 0.4, y / height - 0.5)
    return Image.fromarray(np.clip((0.4 - distance) * 1000, 0, 255).astype(np.uint8))


def start_latents(pipeline, run):
    width, height = (side // pipeline.vae_scale_factor for side in pixel_size(pipeline, run))
    return torch.randn((1, 4, height, width), generator=torch.Generator().manual_seed(99))


# ---- diffusers -------------------------------------------------------------------------------------------------------


def open_pipeline(folder, run):
    kind = diffusers.StableDiffusionImg2ImgPipeline if "strength" in run else diffusers.StableDiffusionPipeline
    if "mask" in run:
        kind = diffusers.StableDiffusionInpaintPipeline
    pipeline = kind.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    if "clip_skip" in run:
        allow_clip_skip(pipeline)
    if "scheduler" in run:
        kind = SCHEDULERS[run["scheduler"]]
        settings = NAMED_BY.get(run["scheduler"], {}) | run.get("config", {})
        pipeline.scheduler = kind.from_config(pipeline.scheduler.config, **settings)
    if "loras" in run:
        names = [os.path.basename(path) for path in run["loras"]]
        for name, path in zip(names, run["loras"]):
            pipeline.load_lora_weights(f"{path}.safetensors", adapter_name=name)
        pipeline.set_adapters(names, list(run["loras"].values()))
    reference_shortcuts.apply(pipeline, run)
    return pipeline


def watch(pipeline, trace):
    """Notes each step under the names that a trace of ours has, by listening at the scheduler's step and the U-Net."""
    step, timesteps = pipeline.scheduler.step, []

    @functools.wraps(step)  # the pipeline looks at step's signature to find out whether it takes eta
    def listening(model_output, timestep, sample, **options):
        out = step(model_output, timestep, sample, **(options | {"return_dict": True}))
        k = len(timesteps)
        timesteps.append(float(timestep))
        trace["timesteps"] = torch.tensor(timesteps)
        trace[f"latents.{k}"], trace[f"latents.{k + 1}"] = sample[0], out.prev_sample[0]
        trace[f"noise_pred.{k}"] = model_output[0]
        if hasattr(out, "pred_original_sample"):  # some classes keep it to themselves
            trace[f"pred_original_sample.{k}"] = out.pred_original_sample[0]
        return (out.prev_sample,)

    def halves(_, inputs, output):
        if len(output[0]) == 2:
            trace[f"noise_pred_uncond.{len(timesteps)}"], trace[f"noise_pred_text.{len(timesteps)}"] = output[0]

    def step_ended(_, k, timestep, tensors):  # inpainting changes the latents behind the scheduler's back
        trace[f"latents.{k + 1}"] = tensors["latents"][0]
        return {}

    pipeline.scheduler.step = listening
    pipeline.unet.register_forward_hook(halves)
    return step_ended


def read_prompts(pipeline, run):
    """Ids [2, L] and embeddings [2, L, D], of the negative prompt and the prompt"""
    negative, prompt, clip_skip = run.get("negative") or "", run["prompt"], run.get("clip_skip")
    if run.get("prompt_weights"):
        ids = [weighted_ids(pipeline.tokenizer, text)[0] for text in (negative, prompt)]
        embeddings = [weighted_embeddings(pipeline, negative)[0], weighted_embeddings(pipeline, prompt, clip_skip)[0]]
    else:
        length = pipeline.tokenizer.model_max_length
        ids = pipeline.tokenizer([negative, prompt], padding="max_length", truncation=True, max_length=length).input_ids
        embeddings = reversed(pipeline.encode_prompt(prompt, "cpu", 1, True, negative, clip_skip=clip_skip))
    return torch.tensor(ids), torch.cat(list(embeddings))


def draw_with_diffusers(pipeline, run):
    trace = {}
    ids, embeddings = read_prompts(pipeline, run)
    width, height = pixel_size(pipeline, run)
    step_ended = watch(pipeline, trace)
    arguments = dict(num_inference_steps=run["steps"], guidance_scale=run["guidance"], eta=run.get("eta", 0.0),
                     generator=torch.Generator().manual_seed(run["seed"]), output_type="pt",
                     callback_on_step_end=step_ended)  # fmt: skip
    if run.get("prompt_weights"):  # of which the pipeline knows nothing
        arguments.update(prompt_embeds=embeddings[1:], negative_prompt_embeds=embeddings[:1])
    else:
        arguments.update(prompt=run["prompt"], negative_prompt=run.get("negative"), clip_skip=run.get("clip_skip"))
    if "guidance_rescale" in run:
        arguments.update(guidance_rescale=run["guidance_rescale"])
    if "mask" in run:
        arguments.update(image=init_picture(pipeline, run), mask_image=mask_picture(pipeline, run), width=width,
                         height=height, strength=run["strength"])
    elif "strength" in run:
        # image to image takes its size from the picture, so that is resized beforehand, with the pipeline's own means
        picture = pipeline.image_processor.resize(init_picture(pipeline, run), height, width)
        arguments.update(image=picture, strength=run["strength"])
    else:
        arguments.update(width=width, height=height, latents=start_latents(pipeline, run) if "latents" in run else None)
    trace["image"] = pipeline(**arguments).images[0]
    first = 0 if pipeline.do_classifier_free_guidance else 1
    trace["input_ids"], trace["text_embeddings"] = ids[first:], embeddings[first:]
    return trace


# ---- sculpt ----------------------------------------------------------------------------------------------------------


def draw_with_sculpt(program, folder, run, pipeline, scratch):
    """The trace, and the saved picture [3, H, W] as bytes"""
    width, height = pixel_size(pipeline, run)
    trace, picture = scratch / "trace.safetensors", scratch / "out.png"
    command = [program, "draw", "-m", folder, "-s", str(run["steps"]), "-g", str(run["guidance"]),
               "--seed", str(run["seed"]), "-n", run.get("negative", ""),
               "-o", str(picture), "--trace", str(trace)]  # fmt: skip
    command += run.get("kernels", EXACT)
    if "scheduler" in run:
        command += ["--scheduler", run["scheduler"]]
    for key, value in {**run.get("config", {}), **({"eta": run["eta"]} if "eta" in run else {})}.items():
        command += ["--scheduler-config", f"{key}={str(value).lower() if isinstance(value, bool) else value}"]
    for name in ("clip_skip", "guidance_rescale"):
        if name in run:
            command += [f"--{name.replace('_', '-')}", str(run[name])]
    if "deep_cache" in run:
        command += ["--deep-cache", str(run["deep_cache"])]
    if "guidance_interval" in run:
        command += ["--guidance-interval", "{},{}".format(*run["guidance_interval"])]
    if run.get("prompt_weights"):
        command += ["--prompt-weights"]
    if "strength" in run:
        init_picture(pipeline, run).save(scratch / "init.png")
        command += ["--init", str(scratch / "init.png"), "--strength", str(run["strength"])]
    for path, weight in run.get("loras", {}).items():
        command += ["--lora", f"{path}.safetensors:{weight}"]
    if "mask" in run:
        mask_picture(pipeline, run).save(scratch / "mask.png")
        command += ["--mask", str(scratch / "mask.png")]
    if "latents" in run:
        save_file({"latents": start_latents(pipeline, run)}, scratch / "latents.safetensors")
        command += ["--latents", str(scratch / "latents.safetensors")]
    else:
        command += ["-W", str(width), "-H", str(height)]
    done = subprocess.run(command + ["--", run["prompt"]], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().split("\n")[-1])
    return load_file(trace), torch.from_numpy(np.array(Image.open(picture))).permute(2, 0, 1)


# ---- both ------------------------------------------------------------------------------------------------------------


def relative_l2(a, b):
    return float((a.double() - b.double()).norm() / b.double().norm())


def psnr(a, b):
    """Of two pictures with values 0..255; 99 if they are equal"""
    error = float((((a.double() - b.double()) / 255) ** 2).mean())
    return 99.0 if error == 0 else float(-10 * np.log10(error))


def compare(ours, saved, reference, bounds):
    """What is wrong, as a list of lines, and the figures."""
    if "pred_original_sample.0" not in reference:
        ours = {name: tensor for name, tensor in ours.items() if not name.startswith("pred_original_sample")}
    names = ours.keys() & reference.keys()
    wrong = [f"only sculpt has {name}" for name in ours.keys() - names]
    wrong += [f"only diffusers has {name}" for name in reference.keys() - names]
    wrong += [f"{name} has shape {list(ours[name].shape)}, there {list(reference[name].shape)}" for name in names
              if ours[name].shape != reference[name].shape]  # fmt: skip
    if wrong:
        return wrong, None
    # Timesteps between whole ones (KDPM2's) are found by a logarithm, which torch and C round differently.
    whole = reference["timesteps"] == reference["timesteps"].round()
    near = torch.isclose(ours["timesteps"], reference["timesteps"], rtol=0, atol=1e-3)
    same = {"input_ids": torch.equal(ours["input_ids"], reference["input_ids"]),
            "timesteps": bool((near & (~whole | (ours["timesteps"] == reference["timesteps"]))).all())}
    for name in same:
        if not same[name]:
            wrong.append(f"{name}: {ours[name].tolist()} instead of {reference[name].tolist()}")

    def worst(*prefixes):
        return max(relative_l2(ours[name], reference[name]) for name in names if name.startswith(prefixes))

    figures = {"embeddings": worst("text_embeddings"), "noise": worst("noise_pred"),
               "latents": worst("latents", "pred_original_sample")}  # fmt: skip
    for name, figure in figures.items():
        if not figure <= bounds[name]:
            wrong.append(f"{name}: {figure:.1e}, bound {bounds[name]:.0e}")
    figures["picture"] = psnr(saved, (reference["image"] * 255).round())
    if not figures["picture"] >= PSNR_BOUND:
        wrong.append(f"picture: {figures['picture']:.1f} dB, bound {PSNR_BOUND}")
    if not torch.equal((ours["image"] * 255).round(), saved.float()):
        wrong.append("the PNG isn't the trace's image")
    return wrong, figures


def try_run(program, folder, run):
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        pipeline = open_pipeline(folder, run)
        ours, saved = draw_with_sculpt(program, folder, run, pipeline, pathlib.Path(scratch))
        reference = draw_with_diffusers(pipeline, run)
    bounds = FASTEST_BOUNDS if "kernels" in run else BOUNDS
    return compare(ours, saved, reference, bounds | run.get("bounds", {}))


def models(scratch):
    """Name, folder and runs of each model"""
    for folder in MODELS:
        yield folder, folder, RUNS | LORA_RUNS.get(folder, {})
    for family, runs in FAMILY_RUNS.items():
        make_golden_families.assemble("tests/golden", family, f"{scratch}/{family}")
        yield family, f"{scratch}/{family}", runs


def main():
    warnings.simplefilter("ignore", FutureWarning)  # steps_offset 0, which is set to 1
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "./sculpt")
    passed = failed = 0
    print(f"diffusers {diffusers.__version__}, transformers {transformers.__version__}, torch {torch.__version__}")
    print(f"relative L2, the worst of all steps; bounds: {', '.join(f'{k} {v:.0e}' for k, v in BOUNDS.items())}, "
          f"picture {PSNR_BOUND} dB")  # fmt: skip
    scratch = tempfile.TemporaryDirectory()
    for model, folder, runs in models(scratch.name):
        if not os.path.exists(f"{folder}/model_index.json"):
            print(f"\nskip {folder}: it isn't there")
            continue
        print(f"\n{model:<28} {'embeddings':>11} {'noise':>9} {'latents':>9} {'picture':>10}")
        for name, run in runs.items():
            try:
                wrong, figures = try_run(program, folder, run)
            except RuntimeError as error:
                wrong, figures = [str(error)], None
            numbers = "" if not figures else (f"{figures['embeddings']:11.1e} {figures['noise']:9.1e} "
                                              f"{figures['latents']:9.1e} {figures['picture']:7.1f} dB")  # fmt: skip
            why = "".join(f"\n    {line}" for line in wrong)
            print(f"{'FAIL' if wrong else 'ok  '} {name:<23} {numbers}{why}", flush=True)
            passed, failed = passed + (not wrong), failed + bool(wrong)
    for others in (reference_precision.run(program), reference_attention.run(program), reference_exact.run(program),
                   reference_single_file.run()):  # fmt: skip
        passed, failed = passed + others[0], failed + others[1]
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(failed > 0 or passed == 0)


main()
