"""The model under examination: diffusers' own pipeline, drawing many prompts at once, each from its own seed.

A process a core, one thread each: threads would wait for each other after every op.
"""

import os

import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, StableDiffusionPipeline

SCHEDULERS = {"ddim": DDIMScheduler, "euler": EulerDiscreteScheduler}
BATCH = 20
pipeline = None  # of this process


def open_pipeline(folder):
    global pipeline
    torch.set_num_threads(1)
    pipeline = StableDiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)


def draw_batch(prompts, seeds, steps, guidance, scheduler, negative):
    """Pictures [B, 3, 128, 128] as bytes, what a PNG would keep."""
    pipeline.scheduler = SCHEDULERS[scheduler].from_config(pipeline.scheduler.config)
    pictures = pipeline(prompts, num_inference_steps=steps, guidance_scale=guidance, output_type="pt",
                        generator=[torch.Generator().manual_seed(seed) for seed in seeds],
                        negative_prompt=[negative] * len(prompts) if negative else None).images
    return (pictures * 255).round().to(torch.uint8).numpy()


class Artist:
    def __init__(self, folder):
        self.pool = torch.multiprocessing.get_context("spawn").Pool(os.cpu_count(), open_pipeline, (folder,))

    def draw(self, prompts, seeds, steps=20, guidance=7.5, scheduler="ddim", negative=None):
        """Pictures [N, 3, 128, 128] in 0..1. seeds: one a prompt."""
        tasks = [(prompts[i:i + BATCH], list(seeds[i:i + BATCH]), steps, guidance, scheduler, negative)
                 for i in range(0, len(prompts), BATCH)]
        return torch.cat([torch.from_numpy(part) for part in self.pool.starmap(draw_batch, tasks, chunksize=1)]) / 255
