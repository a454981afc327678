"""engines.py - one network, or one whole run, measured in torch or OpenVINO: a process of its own each time

    python tests/bench/engines.py torch|openvino CASE              (CASE: a Case of compare.py as JSON)

Prints one line of JSON: "reps", the seconds of each pass after one to warm up, and "resident_bytes", the most that the
process ever held. Loading isn't timed. compare.py starts these, one after the other.
"""

import json
import os
import pathlib
import resource
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "sculpt-bench"
PROMPT = "a pygmy hippo wearing sunglasses on the beach"
TOKENS = 77


def measured(case, once):
    """Seconds of each pass."""
    once()
    seconds = []
    for _ in range(case["reps"]):
        start = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - start)
    return seconds


# ---- torch -----------------------------------------------------------------------------------------------------------


def torch_module(case, dtype):
    """The stage from the model's folder, as a module that answers with one tensor."""
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel

    folder = pathlib.Path(case["model"])

    class Call(torch.nn.Module):
        def __init__(self, stage, forward):
            super().__init__()
            self.stage, self.call = stage, forward

        def forward(self, *inputs):
            return self.call(self.stage, *inputs)

    if case["stage"] == "unet":
        stage = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=dtype)
        return Call(stage.eval(), lambda unet, x, t, text: unet(x, t, text, return_dict=False)[0])
    if case["stage"] == "vae":
        stage = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=dtype)
        return Call(stage.eval(), lambda vae, z: vae.decode(z, return_dict=False)[0])
    stage = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=dtype)
    return Call(stage.eval(), lambda encoder, ids: encoder(ids).last_hidden_state)


def stage_inputs(case, dtype):
    """What goes in: the same random numbers for every engine."""
    import torch

    generator = torch.Generator().manual_seed(0)
    batch, size = case["batch"], case["latent"]
    if case["stage"] == "text":
        return (torch.randint(0, 49408, (batch, TOKENS), generator=generator),)
    latents = torch.randn(batch, 4, size, size, generator=generator).to(dtype)
    if case["stage"] == "vae":
        return (latents,)
    text = torch.randn(batch, TOKENS, 768, generator=generator).to(dtype)
    return latents, torch.full((batch,), 601.0), text


def torch_dtype(case):
    import torch

    return {"f32": torch.float32, "bf16": torch.bfloat16}[case["precision"]]


def torch_stage(case):
    import torch

    torch.set_num_threads(case["threads"])
    module, inputs = torch_module(case, torch_dtype(case)), stage_inputs(case, torch_dtype(case))
    with torch.inference_mode():
        return measured(case, lambda: module(*inputs))


def torch_run(case):
    """Prompt to pixels, with the model loaded."""
    import torch
    from diffusers import StableDiffusionPipeline

    torch.set_num_threads(case["threads"])
    pipeline = StableDiffusionPipeline.from_pretrained(case["model"], torch_dtype=torch_dtype(case))
    pipeline.set_progress_bar_config(disable=True)

    def once():
        generator = torch.Generator().manual_seed(1)
        pipeline(PROMPT, num_inference_steps=case["steps"], guidance_scale=7.5, generator=generator)

    return measured(case, once)


# ---- OpenVINO --------------------------------------------------------------------------------------------------------


def openvino_file(case):
    """The stage as OpenVINO keeps it, converted from torch once. In f32, whatever it is computed with later."""
    import openvino
    import torch

    path = CACHE / f"{openvino.__version__.split('-')[0]}-{case['stage']}" / "model.xml"
    if not path.exists():
        example = stage_inputs({**case, "batch": 1, "latent": 32}, torch.float32)
        with torch.inference_mode():
            model = openvino.convert_model(torch_module(case, torch.float32), example_input=example)
        unfinished = path.parent.with_name(path.parent.name + ".writing")
        openvino.save_model(model, unfinished / "model.xml", compress_to_fp16=False)
        unfinished.rename(path.parent)
    return path


def openvino_stage(case):
    import openvino
    import torch

    inputs = [tensor.numpy() for tensor in stage_inputs(case, torch.float32)]
    core = openvino.Core()
    model = core.read_model(case["openvino_file"])
    model.reshape({port: list(array.shape) for port, array in zip(model.inputs, inputs)})  # known shapes are faster
    options = {"INFERENCE_PRECISION_HINT": case["precision"], "INFERENCE_NUM_THREADS": case["threads"],
               "PERFORMANCE_HINT": "LATENCY"}  # fmt: skip
    request = core.compile_model(model, "CPU", options).create_infer_request()
    return measured(case, lambda: request.infer(inputs, share_inputs=True))


def main():
    engine, case = sys.argv[1], json.loads(sys.argv[2])
    if engine == "convert":  # apart, so that the memory it takes isn't the engine's
        print(json.dumps({"file": str(openvino_file(case))}))
        return
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
    measure = {"torch": torch_run if case["stage"] == "run" else torch_stage, "openvino": openvino_stage}[engine]
    reps = measure(case)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"reps": reps, "resident_bytes": peak}))


if __name__ == "__main__":
    main()
