"""make_golden_schedulers.py - where diffusers' schedulers go, step by step

    python tests/make_golden_schedulers.py [folder]              (default: tests/golden/schedulers)

golden.safetensors holds `noise` [8, 16] and `start` [16], from torch.randn, and for each case NAME

    NAME.timesteps [S]            all of them (they don't depend on prediction_type and are only there for epsilon)
    NAME.rows [R, 16]             one row for each step noted (seven or so, and the last, where there are many):
                                  of the first four numbers, prev_sample, pred_original_sample, what scale_model_input
                                  shows of the latents before the step, and what add_noise makes of start and noise[0]

The model's output at step k is always noise[k % 8]; latents go from step to step. What a case is stands in the
metadata: NAME -> "euler 20 prediction_type=epsilon ...", the scheduler's name, the number of steps and the settings as
--scheduler-config takes them. `alphas_cumprod.NAME` are whole noise schedules.

walks.safetensors holds the other schedulers, more briefly. Its metadata 000, 001 ... are lines "heun 1,2,3 KEY=VALUE ..."
that go for as many walks, on top of Stable Diffusion's settings (BASE), and `rows` [R, 9] is what all of these walks
note, one behind the other, of every step where there are at most seven, else of the first, the middle and the last:

    the timestep, and of the first two numbers prev_sample, pred_original_sample, what scale_model_input shows and what
    add_noise makes of start and noise[0] (at the first half of a step that has two)

`unmatched` are the lines of walks that diffusers refuses, or that lead to numbers that aren't finite.

folders/ holds scheduler_config.json files as they are found; metadata `open.FOLDER [NAME]` tells what settings
StableDiffusionPipeline ends up with, and with NAME, what NAME.from_config makes of that pipeline's config.

tests/parity/test_schedulers_parity.c reads it all. Needs torch and diffusers, as make_golden.py does, and scipy, which
diffusers' LMSDiscreteScheduler integrates with.
"""

import inspect
import json
import logging
import os
import sys

import torch
import diffusers
from diffusers import DDIMScheduler, EulerDiscreteScheduler, StableDiffusionPipeline
from safetensors.torch import save_file

CLASSES = {"ddim": DDIMScheduler, "euler": EulerDiscreteScheduler}
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def as_text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def run(kind, steps, settings, noise, start):
    """timesteps and rows, as described above. eta isn't one of the class's settings but an argument of DDIM's step."""
    settings = dict(settings)
    extra = {}
    if "eta" in settings:
        extra = {"eta": settings.pop("eta"), "generator": torch.Generator().manual_seed(7)}
    scheduler = CLASSES[kind](**settings)
    scheduler.set_timesteps(steps)
    latents = start[None] * scheduler.init_noise_sigma
    stride, rows = max(1, steps // 7), []
    for k, t in enumerate(scheduler.timesteps):
        shown = scheduler.scale_model_input(latents, t)
        noised = CLASSES[kind](**settings)
        noised.set_timesteps(steps)
        noised = noised.add_noise(start[None], noise[:1], t[None])
        out = scheduler.step(noise[k % 8][None], t, latents, **extra)
        latents = out.prev_sample
        if k % stride == 0 or k == steps - 1:
            rows.append(torch.cat([x[0, :4] for x in (latents, out.pred_original_sample, shown, noised)]))
    return scheduler.timesteps.float(), torch.stack(rows).float()


def cases():
    """(kind, steps, settings): the grid that people use, then each setting on its own."""
    for kind in CLASSES:
        base = SD | ({"clip_sample": False, "set_alpha_to_one": False} if kind == "ddim" else {})
        for spacing in ("leading", "linspace", "trailing"):
            for prediction in ("epsilon", "v_prediction", "sample"):
                for steps in (1, 2, 3, 7, 20, 50, 999):
                    settings = {"timestep_spacing": spacing, "prediction_type": prediction, "steps_offset": 1}
                    yield kind, steps, base | settings
        yield kind, 20, {}  # the class's own defaults
        yield kind, 20, {"beta_schedule": "squaredcos_cap_v2"}
        yield kind, 7, SD | {"num_train_timesteps": 100}
        zero_snr = {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}
        yield kind, 5, SD | zero_snr | {"timestep_spacing": "trailing"}
    yield "ddim", 7, SD | {"clip_sample": True, "clip_sample_range": 0.5}
    yield "ddim", 7, SD | {"clip_sample": False, "set_alpha_to_one": True}
    for prediction in ("epsilon", "v_prediction"):
        yield "ddim", 10, SD | {"eta": 0.5, "clip_sample": False, "steps_offset": 1, "prediction_type": prediction}
    yield "ddim", 10, SD | {"eta": 1.0, "clip_sample": False, "steps_offset": 1}


# ---- the others -----------------------------------------------------------------------------------------------------

OTHERS = {
    "ddpm": "DDPM", "euler_a": "EulerAncestralDiscrete", "dpmpp_2m": "DPMSolverMultistep",
    "dpmpp_2m_sde": "DPMSolverMultistep", "heun": "HeunDiscrete", "lms": "LMSDiscrete", "kdpm2": "KDPM2Discrete",
    "pndm": "PNDM", "dpmpp_1s": "DPMSolverSinglestep", "unipc": "UniPCMultistep", "lcm": "LCM", "euler": "EulerDiscrete",
}  # fmt: skip
BASE = SD | {"steps_offset": 1, "clip_sample": False, "set_alpha_to_one": False}
FIXED = {"pndm": {"skip_prk_steps": True}, "dpmpp_2m_sde": {"algorithm_type": "sde-dpmsolver++"}}
STEPS = (1, 2, 3, 7, 20, 50, 999)


def known(kind):
    return inspect.signature(getattr(diffusers, OTHERS[kind] + "Scheduler").__init__).parameters


def make(kind, steps, settings):
    settings = {key: value for key, value in (BASE | settings | FIXED.get(kind, {})).items() if key in known(kind)}
    scheduler = getattr(diffusers, OTHERS[kind] + "Scheduler")(**settings)
    scheduler.set_timesteps(steps)
    return scheduler


def predicted(scheduler, out, settings, model_output, t, latents):
    """The picture that a step predicts, for those too that don't hand it out."""
    if hasattr(out, "denoised"):
        return out.denoised
    if hasattr(out, "pred_original_sample"):
        return out.pred_original_sample
    if hasattr(scheduler, "model_outputs"):
        return scheduler.model_outputs[-1]
    ddim = DDIMScheduler(**BASE, prediction_type=settings.get("prediction_type", "epsilon"))
    ddim.set_timesteps(1)
    return ddim.step(model_output, t, latents).pred_original_sample


def walk(kind, steps, settings, noise, start, shown):
    """The rows of a walk, as described above, or None where diffusers knows no way."""
    try:
        scheduler = make(kind, steps, settings)
        extra = {"generator": torch.Generator().manual_seed(7)} if "generator" in takes(scheduler.step) else {}
        latents, rows, count = start[None] * scheduler.init_noise_sigma, [], len(scheduler.timesteps)
        for k, t in enumerate(scheduler.timesteps):
            seen, before = scheduler.scale_model_input(latents, t), latents
            out = scheduler.step(noise[k % 8][None], t, latents, **extra)
            latents = out.prev_sample
            if count > 7 and k not in (0, count // 2, count - 1):
                continue
            whole = scheduler.timesteps[k - k % scheduler.order]
            noised = make(kind, steps, settings).add_noise(start[None], noise[:1], whole[None])
            x0 = predicted(scheduler, out, settings, noise[k % 8][None], t, before)
            rows.append(torch.cat([t[None]] + [x[0, :shown] for x in (latents, x0, seen, noised)]).float())
    except (ValueError, NotImplementedError, IndexError, AssertionError):
        return None
    rows = torch.stack(rows)
    return rows if torch.isfinite(rows).all() else None


def takes(function):
    return inspect.signature(function).parameters


def groups():
    """(kind, settings, numbers of steps)"""
    for kind in OTHERS:
        if kind != "euler":
            has_spacing = "timestep_spacing" in known(kind) and kind != "lcm"
            for spacing in ("leading", "linspace", "trailing") if has_spacing else (None,):
                spaced = {"timestep_spacing": spacing} if spacing else {}
                yield kind, spaced, STEPS
                for prediction in ("v_prediction", "sample"):
                    yield kind, spaced | {"prediction_type": prediction}, (7,)
        if "use_karras_sigmas" in known(kind):
            yield kind, {"use_karras_sigmas": True}, (7, 20, 50)
        if "final_sigmas_type" in known(kind) and kind != "euler":
            yield kind, {"final_sigmas_type": "sigma_min"}, (7, 20)
            yield kind, {"final_sigmas_type": "sigma_min", "use_karras_sigmas": True}, (20,)
        if "euler_at_final" in known(kind):
            yield kind, {"final_sigmas_type": "sigma_min", "euler_at_final": True}, (20,)
        if "lower_order_final" in known(kind):
            yield kind, {"lower_order_final": kind == "dpmpp_1s"}, (7,)
            yield kind, {"lower_order_final": kind == "dpmpp_1s", "final_sigmas_type": "sigma_min"}, (8,)
        if "rescale_betas_zero_snr" in known(kind) and kind != "euler":
            zero_snr = {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}
            yield kind, zero_snr | ({} if kind == "lcm" else {"timestep_spacing": "trailing"}), (7,)
    for variance_type in ("fixed_small_log", "fixed_large"):
        yield "ddpm", {"variance_type": variance_type}, (7,)
    for kind in ("ddpm", "heun", "lcm"):
        yield kind, {"clip_sample": True, "clip_sample_range": 0.5}, (7,)
    yield "lcm", {"original_inference_steps": 30, "timestep_scaling": 0.001}, (4,)
    yield "pndm", {"set_alpha_to_one": True}, (7,)


def make_walks(path, noise, start, shown):
    lines, unmatched, rows = [], [], []
    for kind, settings, numbers in groups():
        walks = {steps: walk(kind, steps, settings, noise, start, shown) for steps in numbers}
        rows += [found for found in walks.values() if found is not None]
        for group, holds in ((lines, True), (unmatched, False)):
            names = [str(steps) for steps in numbers if (walks[steps] is not None) == holds]
            if names:
                group.append(" ".join([kind, ",".join(names)] + [f"{k}={as_text(v)}" for k, v in settings.items()]))
    metadata = {f"{i:03}": line for i, line in enumerate(lines)} | {"unmatched": "; ".join(unmatched)}
    save_file({"rows": torch.cat(rows)}, path, metadata)
    print(f"{path}: {len(rows)} walks, {os.path.getsize(path) / 1e3:.0f} KB; unmatched: {'; '.join(unmatched)}")


# ---- scheduler_config.json ------------------------------------------------------------------------------------------

FOLDERS = {
    "sd15": {"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", **SD, "clip_sample": False,
             "num_train_timesteps": 1000, "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1,
             "trained_betas": None},
    "old_ddim": {"_class_name": "DDIMScheduler", **SD},
    "old_pndm": {"_class_name": "PNDMScheduler", **SD, "clip_sample": True, "steps_offset": 0},
    "sd21": {"_class_name": "EulerDiscreteScheduler", **SD, "prediction_type": "v_prediction",
             "use_karras_sigmas": False, "interpolation_type": "linear", "timestep_spacing": "leading"},
    "trained": {"_class_name": "DDIMScheduler", "num_train_timesteps": 8, "clip_sample": False, "steps_offset": 1,
                "trained_betas": [0.01, 0.02, 0.03, 0.05, 0.08, 0.13, 0.21, 0.34]},
}  # fmt: skip
KEYS = ("steps_offset", "clip_sample", "set_alpha_to_one", "timestep_spacing", "prediction_type", "beta_start")


def opened(folder, kind):
    """The settings that a pipeline (or from_config of its scheduler) has in the end."""
    config = json.load(open(os.path.join(folder, "scheduler_config.json")))
    scheduler = getattr(diffusers, config["_class_name"]).from_pretrained(folder)
    pipeline = StableDiffusionPipeline(vae=None, text_encoder=None, tokenizer=None, unet=None, scheduler=scheduler,
                                       safety_checker=None, feature_extractor=None,
                                       requires_safety_checker=False)  # fmt: skip
    scheduler = pipeline.scheduler
    if kind:
        scheduler = CLASSES[kind].from_config(scheduler.config)
    return " ".join(f"{key}={as_text(scheduler.config[key])}" for key in KEYS if key in scheduler.config)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "golden", "schedulers")
    os.makedirs(root, exist_ok=True)
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    generator = torch.Generator().manual_seed(0)
    noise, start = torch.randn(8, 16, generator=generator), torch.randn(16, generator=generator)
    tensors, metadata = {"noise": noise, "start": start}, {}

    for i, (kind, steps, settings) in enumerate(cases()):
        name = f"{i:03}"
        timesteps, rows = run(kind, steps, settings, noise, start)
        assert torch.isfinite(rows).all(), (kind, steps, settings)
        tensors[f"{name}.rows"] = rows
        if settings.get("prediction_type", "epsilon") == "epsilon":
            tensors[f"{name}.timesteps"] = timesteps
        metadata[name] = " ".join([kind, str(steps)] + [f"{k}={as_text(v)}" for k, v in settings.items()])

    schedules = {"sd": SD, "linear": {}, "cosine": {"beta_schedule": "squaredcos_cap_v2"},
                 "zero_snr": SD | {"rescale_betas_zero_snr": True}}  # fmt: skip
    for name, settings in schedules.items():
        tensors[f"alphas_cumprod.{name}"] = DDIMScheduler(**settings).alphas_cumprod
        metadata[f"alphas_cumprod.{name}"] = " ".join(f"{k}={as_text(v)}" for k, v in settings.items())

    for name, config in FOLDERS.items():
        folder = os.path.join(root, "folders", name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "scheduler_config.json"), "w") as file:
            json.dump(config, file, indent=2)
        for kind in (None, "ddim", "euler"):
            metadata[f"open.{name} {kind or '-'}"] = opened(folder, kind)
    trained = DDIMScheduler.from_pretrained(os.path.join(root, "folders", "trained"))
    tensors["alphas_cumprod.trained_betas"] = trained.alphas_cumprod

    save_file(tensors, os.path.join(root, "golden.safetensors"), metadata)
    make_walks(os.path.join(root, "walks.safetensors"), noise, start, 2)
    print(f"{root}: {i + 1} cases, {os.path.getsize(os.path.join(root, 'golden.safetensors')) / 1e3:.0f} KB")


if __name__ == "__main__":
    main()
