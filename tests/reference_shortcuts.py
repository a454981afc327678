"""reference_shortcuts.py - diffusers taught to do less: deep features reused, guidance in an interval of sigmas

diffusers has neither for Stable Diffusion, so both are put into a pipeline from outside, as short as they can be said:
a pipeline that leaves work out is compared with a run of ours that does.
"""

import functools

import torch

HIPPO = "a pygmy hippo wearing sunglasses on the beach"
RUNS = {
    "deep cache 3": {"prompt": HIPPO, "steps": 20, "guidance": 7.5, "seed": 21, "deep_cache": 3},
    "deep cache 2, heun": {"prompt": HIPPO, "steps": 8, "guidance": 4, "seed": 22, "deep_cache": 2, "scheduler": "heun"},
    "deep cache 3, pndm": {"prompt": HIPPO, "steps": 8, "guidance": 1, "seed": 23, "deep_cache": 3, "scheduler": "pndm"},
    "interval": {"prompt": HIPPO, "steps": 20, "guidance": 7.5, "seed": 24, "guidance_interval": (0.28, 5.42)},
    "interval, dpmpp_2m": {"prompt": HIPPO, "negative": "a hat", "steps": 10, "guidance": 4, "seed": 25,
                           "scheduler": "dpmpp_2m", "guidance_interval": (0.5, 100)},
    "interval, rescaled": {"prompt": HIPPO, "steps": 9, "guidance": 15, "seed": 26, "scheduler": "euler",
                           "guidance_interval": (1, 8), "guidance_rescale": 0.7},
    "interval and cache": {"prompt": HIPPO, "steps": 20, "guidance": 7.5, "seed": 27, "guidance_interval": (0.28, 5.42),
                           "deep_cache": 4},
}  # fmt: skip


def last_rows(output, rows):
    """Of a module's answer, or of each tensor in it, the last so many rows of the batch"""
    return output[-rows:] if torch.is_tensor(output) else tuple(last_rows(part, rows) for part in output)


class DeepCache:
    """Of n calls of the U-Net the first is a whole one (Ma et al. 2023, arXiv 2312.00858). In the others all modules but
    the first convolution, the last layer of the way up and the last convolution give the answer that they gave then; a
    call with more rows than that one had must be a whole one."""

    def __init__(self, unet, n):
        self.n, self.calls, self.rows, self.shallow = n, 0, 0, False
        last = unet.up_blocks[-1]
        inner = [*unet.down_blocks, unet.mid_block, *unet.up_blocks[:-1], *last.resnets[:-1]]
        for module in inner + list(getattr(last, "attentions", []))[:-1]:
            self.wrap(module)
        whole = unet.forward

        def forward(sample, *arguments, **named):
            rows = len(sample)
            self.shallow = 0 < self.calls < self.n and rows <= self.rows
            self.calls, self.rows = (self.calls + 1, self.rows) if self.shallow else (1, rows)
            self.asked = rows
            return whole(sample, *arguments, **named)

        unet.forward = forward

    def wrap(self, module):
        forward, kept = module.forward, {}

        def remembering(*arguments, **named):
            if not self.shallow:
                kept["answer"] = forward(*arguments, **named)
            return last_rows(kept["answer"], self.asked)

        module.forward = remembering


def guide_in_interval(pipeline, low, high):
    """Guidance only where low < sigma <= high (Kynkäänniemi et al. 2024, arXiv 2404.07724): elsewhere the pipeline is told
    that there is none, and asks the U-Net about the prompt alone."""
    state = {"loop": False, "step": 0}

    def sigma(scheduler, k):
        if hasattr(scheduler, "sigmas"):
            return float(scheduler.sigmas[k])
        a = float(scheduler.alphas_cumprod[int(scheduler.timesteps[k])])
        return ((1 - a) / a) ** 0.5

    def guided(self):
        inside_loop = state["loop"] and state["step"] < len(self.scheduler.timesteps)
        return not inside_loop or low < sigma(self.scheduler, state["step"]) <= high

    pipeline.__class__ = type("Guided", (type(pipeline),), {"do_classifier_free_guidance": property(guided)})
    prepare, step, forward = pipeline.prepare_extra_step_kwargs, pipeline.scheduler.step, pipeline.unet.forward

    def about_to_loop(*arguments):
        state["loop"] = True
        return prepare(*arguments)

    @functools.wraps(step)  # the pipeline looks at step's signature to find out whether it takes eta
    def stepped(*arguments, **named):
        state["step"] += 1
        return step(*arguments, **named)

    def answering(sample, timestep, encoder_hidden_states, **named):
        return forward(sample, timestep, encoder_hidden_states[-len(sample):], **named)

    pipeline.prepare_extra_step_kwargs, pipeline.scheduler.step = about_to_loop, stepped
    pipeline.unet.forward = answering


def apply(pipeline, run):
    if "deep_cache" in run:
        DeepCache(pipeline.unet, run["deep_cache"])
    if "guidance_interval" in run:
        guide_in_interval(pipeline, *run["guidance_interval"])
