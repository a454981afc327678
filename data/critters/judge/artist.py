"""The model under examination: diffusers' own pipeline, drawing many prompts at once, each from its own seed."""

import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, StableDiffusionPipeline

SCHEDULERS = {"ddim": DDIMScheduler, "euler": EulerDiscreteScheduler}


class Artist:
    def __init__(self, folder):
        self.pipeline = StableDiffusionPipeline.from_pretrained(folder)
        self.pipeline.set_progress_bar_config(disable=True)

    def draw(self, prompts, seeds, steps=20, guidance=7.5, scheduler="ddim", negative=None, batch=25):
        """Pictures [N, 3, 128, 128] in 0..1. seeds: one a prompt."""
        pipeline = self.pipeline
        pipeline.scheduler = SCHEDULERS[scheduler].from_config(pipeline.scheduler.config)
        parts = []
        for start in range(0, len(prompts), batch):
            chunk = prompts[start:start + batch]
            generators = [torch.Generator().manual_seed(seed) for seed in seeds[start:start + batch]]
            pictures = pipeline(chunk, num_inference_steps=steps, guidance_scale=guidance, generator=generators,
                                negative_prompt=[negative] * len(chunk) if negative else None, output_type="pt").images
            parts.append((pictures * 255).round() / 255)  # what a PNG would keep
        return torch.cat(parts)
