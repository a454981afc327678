"""make_golden_lora.py - LoRAs that peft makes and diffusers saves, and what the small random models draw with them

    python tests/make_golden_lora.py [folder]              (default: tests/golden/lora)

The models are those of make_golden_runs.py, tests/golden/runs/sd1 and sd2. The LoRAs, random too:

    style.safetensors            sd1: linear layers, convolutions and text encoder; ranks and alphas that differ from layer
                                 to layer, in the metadata, as save_lora_weights writes them
    style_kohya.safetensors      the same in the names and with the alphas of kohya's scripts
    other.safetensors            sd1: a few layers, divided by the rank's root (use_rslora)
    attention.safetensors        sd1: attention alone, the names that diffusers gave LoRAs from 0.18 on, no alphas
    attention_old.safetensors    the same in those before
    ldm.safetensors              sd1: kohya's names on the U-Net's LDM names
    second_kohya.safetensors     sd2: kohya's names, and proj_in and proj_out as 1x1 convolutions, as those scripts have
                                 them in the 2.x models, too

golden.safetensors holds the last latents [4, h, w] of each of RUNS, once more in tests/parity/test_lora_parity.c. Where a
file is another's twin, the script makes sure that diffusers draws the same with both, and keeps one of the two.
"""

import os
import re
import shutil
import sys
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
import transformers
from diffusers import StableDiffusionPipeline
from diffusers.training_utils import _collate_lora_metadata
from diffusers.utils import logging
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

WIDTH, HEIGHT, STEPS, GUIDANCE, SEED = 24, 32, 5, 4.0, 3
PROMPT, NEGATIVE = "a pink cat wearing a crown, at night", "blurry hat"
MODELS = os.path.join(os.path.dirname(__file__), "golden", "runs")

# name: model, its LoRAs and their weights
RUNS = {
    "style": ("sd1", {"style": 1.0}),
    "other": ("sd1", {"other": 1.0}),
    "two": ("sd1", {"style": 0.7, "other": -0.3}),
    "attention": ("sd1", {"attention": 1.0}),
    "ldm": ("sd1", {"ldm": 0.8}),
    "second": ("sd2", {"second": 1.5}),
}

# ---- LoRAs -----------------------------------------------------------------------------------------------------------


def pipeline(model):
    made = StableDiffusionPipeline.from_pretrained(os.path.join(MODELS, model), safety_checker=None)
    made.set_progress_bar_config(disable=True)
    return made


def any_of(*patterns):
    return "|".join(patterns)


STYLE = {
    "unet": LoraConfig(
        r=2, lora_alpha=4, init_lora_weights=False,
        rank_pattern={"attn2.to_q": 3, "down_blocks.*conv1": 1}, alpha_pattern={"conv1": 0.5, "net.0.proj": 3},
        target_modules=any_of(
            r"down_blocks\.0\.attentions\.0\..*(attn2\.to_[qkv]|attn1\.to_out\.0|ff\.net\.0\.proj)",
            r"mid_block\.attentions\.0\.(proj_in|.*ff\.net\.2)", "conv_in", "conv_out",
            r"(down_blocks\.0|mid_block)\.resnets\.0\.(conv1|time_emb_proj)", r"time_embedding\.linear_1",
            r"down_blocks\.0\.downsamplers\.0\.conv", r"up_blocks\.0\.upsamplers\.0\.conv",
            r"up_blocks\.0\.resnets\.0\.(conv_shortcut|conv2)")),
    "text_encoder": LoraConfig(r=3, lora_alpha=1.5, init_lora_weights=False,
                               target_modules=r"encoder\.layers\.[01]\.(self_attn\.(q_proj|out_proj)|mlp\.fc1)"),
}  # fmt: skip
OTHER = {
    "unet": LoraConfig(r=4, lora_alpha=3, use_rslora=True, init_lora_weights=False,
                       target_modules=r"down_blocks\.0\..*attn2\.to_[kv]|up_blocks\.1\.resnets\.1\.conv1"),
    "text_encoder": LoraConfig(r=1, lora_alpha=1, init_lora_weights=False,
                               target_modules=r"encoder\.layers\.0\.self_attn\.q_proj"),
}  # fmt: skip
ATTENTION = {
    "unet": LoraConfig(r=2, lora_alpha=2, init_lora_weights=False,
                       target_modules=r"mid_block\..*attn1\.(to_[qkv]|to_out\.0)"),
    "text_encoder": LoraConfig(r=2, lora_alpha=2, init_lora_weights=False,
                               target_modules=r"encoder\.layers\.1\.self_attn\.(q|k|v|out)_proj"),
}  # fmt: skip
LDM = {
    "unet": LoraConfig(
        r=2, lora_alpha=1, init_lora_weights=False,
        target_modules=any_of(
            r"down_blocks\.[01]\.resnets\.0\.conv1", r"down_blocks\.0\.attentions\.0\..*attn2\.to_v",
            r"down_blocks\.0\.downsamplers\.0\.conv", r"mid_block\.attentions\.0\.proj_out",
            r"mid_block\.resnets\.1\.conv2", r"up_blocks\.1\.attentions\.1\..*attn1\.to_k",
            r"up_blocks\.[01]\.resnets\.[01]\.conv_shortcut")),
}  # fmt: skip
SECOND = {
    "unet": LoraConfig(r=2, lora_alpha=1, init_lora_weights=False,
                       target_modules=r"mid_block\.attentions\.0\.(proj_in|proj_out|.*attn2\.to_[kv])"),
    "text_encoder": LoraConfig(r=2, lora_alpha=1, init_lora_weights=False,
                               target_modules=r"encoder\.layers\.0\.(self_attn\.k_proj|mlp\.fc2)"),
}  # fmt: skip


def make(root, name, model, configs, seed):
    """Random matrices of a size that shows, saved by diffusers; their state dict, and the alpha of each of their layers"""
    generator, made = torch.Generator().manual_seed(seed), pipeline(model)
    layers, alphas = {}, {}
    for stage, config in configs.items():
        network = getattr(made, stage)
        network.add_adapter(config)
        config.base_model_name_or_path = None  # where the model lay
        for layer, module in network.named_modules():
            if hasattr(module, "lora_A"):
                alphas[f"{stage}.{layer}"] = module.lora_alpha["default"]
        for key, matrix in network.named_parameters():
            if "lora_" in key:
                size = 0.5 / matrix[0].numel() ** 0.5
                matrix.data = (torch.randn(matrix.shape, generator=generator) * size).half().float()
        layers[stage] = {key: matrix.half() for key, matrix in get_peft_model_state_dict(network).items()}
    metadata = _collate_lora_metadata({stage: getattr(made, stage) for stage in configs})
    StableDiffusionPipeline.save_lora_weights(root, layers["unet"], layers.get("text_encoder"), **metadata,
                                              weight_name=f"{name}.safetensors")  # fmt: skip
    return {f"{stage}.{key}": value for stage in layers for key, value in layers[stage].items()}, alphas


def save(root, name, state):
    save_file({key: value.contiguous() for key, value in state.items()}, os.path.join(root, f"{name}.safetensors"),
              metadata={"format": "pt"})  # fmt: skip


def kohya(state, alphas):
    """As kohya's scripts write it: whole alphas as they are made, others cast with all the rest"""
    out = {}
    for layer, alpha in alphas.items():
        name = re.sub("^text_encoder", "lora_te_text_model", re.sub("^unet", "lora_unet", layer)).replace(".", "_")
        out[f"{name}.lora_down.weight"] = state[f"{layer}.lora_A.weight"]
        out[f"{name}.lora_up.weight"] = state[f"{layer}.lora_B.weight"]
        out[f"{name}.alpha"] = torch.tensor(alpha) if alpha == int(alpha) else torch.tensor(alpha).half()
    return out


def as_convolutions(state):
    return {k: v[:, :, None, None] if re.search("proj_(in|out).*weight", k) else v for k, v in state.items()}


def renamed(state, *rules):
    out = {}
    for key, value in state.items():
        for pattern, replacement in rules:
            key = re.sub(pattern, replacement, key)
        out[key] = value
    return out


NEWER = [("text_encoder.", "text_encoder.text_model."), (r"^unet(.*)lora_A", r"unet\1lora.down"),
         (r"^unet(.*)lora_B", r"unet\1lora.up"), ("lora_A", "lora_linear_layer.down"),
         ("lora_B", "lora_linear_layer.up")]  # fmt: skip
OLDER = [("text_encoder.", "text_encoder.text_model."), (r"([qkv])_proj.lora_(.)", r"to_\1_lora.\2"),
         (r"out_proj.lora_(.)", r"to_out_lora.\1"), (r"attn1.to_([qkv]).lora_(.)", r"attn1.processor.to_\1_lora.\2"),
         (r"attn1.to_out.0.lora_(.)", r"attn1.processor.to_out_lora.\1"), (r"lora\.A", "lora.down"),
         (r"lora\.B", "lora.up")]  # fmt: skip
# layers_per_block is 1: a level is one layer and the downsampling, or two layers
TO_LDM = [
    (r"unet_down_blocks_(\d)_downsamplers_0_conv", lambda m: f"unet_input_blocks_{2 + 2 * int(m[1])}_0_op"),
    (r"unet_down_blocks_(\d)_resnets_0", lambda m: f"unet_input_blocks_{1 + 2 * int(m[1])}_0"),
    (r"unet_down_blocks_(\d)_attentions_0", lambda m: f"unet_input_blocks_{1 + 2 * int(m[1])}_1"),
    (r"unet_mid_block_resnets_1", "unet_middle_block_2"), (r"unet_mid_block_attentions_0", "unet_middle_block_1"),
    (r"unet_up_blocks_(\d)_resnets_(\d)", lambda m: f"unet_output_blocks_{2 * int(m[1]) + int(m[2])}_0"),
    (r"unet_up_blocks_(\d)_attentions_(\d)", lambda m: f"unet_output_blocks_{2 * int(m[1]) + int(m[2])}_1"),
    (r"_conv1\.", "_in_layers_2."), (r"_conv2\.", "_out_layers_3."), (r"_conv_shortcut\.", "_skip_connection."),
]  # fmt: skip

# ---- runs ------------------------------------------------------------------------------------------------------------


def draw(root, model, loras, **options):
    made = pipeline(model)
    for name in loras:
        made.load_lora_weights(root, weight_name=f"{name}.safetensors", adapter_name=name, **options)
    if loras:
        made.set_adapters(list(loras), list(loras.values()))
    return made(PROMPT, negative_prompt=NEGATIVE, num_inference_steps=STEPS, guidance_scale=GUIDANCE, width=WIDTH,
                height=HEIGHT, output_type="latent", generator=torch.Generator().manual_seed(SEED)).images[0]  # fmt: skip


def off(latents, reference):
    return ((latents - reference).norm() / reference.norm()).item()


def check_twin(root, name, reference, model, loras, **options):
    difference = off(draw(root, model, loras, **options), reference)
    print(f"{', '.join(loras):24} differs from {name} by {difference:.1e}")
    assert difference < 1e-5, loras


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "golden", "lora")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    logging.set_verbosity_error()  # a LoRA without layers for the text encoder
    transformers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()  # a text encoder's report of all weights that aren't in the LoRA
    warnings.simplefilter("ignore")

    save(root, "style_kohya", kohya(*make(root, "style", "sd1", STYLE, 1)))
    make(root, "other", "sd1", OTHER, 2)
    attention, _ = make(root, "attention", "sd1", ATTENTION, 3)
    ldm = kohya(*make(root, "ldm", "sd1", LDM, 4))
    second, alphas = make(root, "second", "sd2", SECOND, 5)
    with torch.no_grad():
        latents = {name: draw(root, *run) for name, run in RUNS.items()}
        for name, (model, _) in RUNS.items():
            print(f"{name:12} differs from no LoRA by {off(latents[name], draw(root, model, {})):.2f}")
        check_twin(root, "style", latents["style"], "sd1", {"style_kohya": 1.0})
        for name, rules in ("attention_old", OLDER), ("attention", NEWER):
            save(root, name, renamed(attention, *rules))
            check_twin(root, "attention", latents["attention"], "sd1", {name: 1.0})
        save(root, "ldm", renamed(ldm, *TO_LDM))
        check_twin(root, "ldm", latents["ldm"], "sd1", {"ldm": 0.8}, unet_config=pipeline("sd1").unet.config)
    save(root, "second_kohya", as_convolutions(kohya(second, alphas)))
    os.remove(os.path.join(root, "second.safetensors"))
    save(root, "golden", latents)


if __name__ == "__main__":
    main()
