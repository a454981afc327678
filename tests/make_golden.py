"""make_golden.py - small random models, and what diffusers and transformers compute with them

    python tests/make_golden.py [folder]              (default: tests/golden/stages)

Writes one folder per model: config.json and the weights as save_pretrained writes them, and golden.safetensors with the
inputs and the outputs of diffusers' own forward pass, numbered: latents.0 ... noise_pred.0, latents.1 ...
tests/parity/test_stages_parity.c reads them. Needs torch, diffusers, transformers and safetensors; the files in the
repository were written with the versions in VERSIONS, on one thread. The passes run in float64 and their results are
rounded to float32, so that a difference is ours alone: in float32 diffusers is itself up to 1e-6 away from these.

Two things make these goldens strict:
- Every branch of the configs is in at least one of them; the table of models below says which.
- Signals are small. An epsilon of 1e-5 instead of 1e-6 inside a norm changes nothing that one can see when the norm's
  input has variance 1. So weights are drawn such that the residual stream, which every norm reads, has a standard
  deviation about 0.01; what goes into softmax, GELU and SiLU is about 1, so that these are bent, not straight. The
  script prints the smallest and the largest deviation over all norms of a model and stops if one is outside 0.001 to
  0.06.
"""

import json
import math
import os
import re
import shutil
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel

VERSIONS = {"torch": "2.13.0", "diffusers": "0.42.1", "transformers": "5.23.0"}
NO_BLOCKS = r"(?!)"
SMALL = 0.01  # standard deviation of what norms read

# ---- weights -------------------------------------------------------------------------------------------------------

# What a layer's output should look like, by the layer's name; the first that matches. The second number is about what
# its input looks like: 0.6 after a SiLU, 1 after a norm, SMALL where it reads the residual stream itself.
OUTPUTS = [
    (r"(conv1|time_emb_proj)$", SMALL, 0.6),
    (r"conv2$", 0.7 * SMALL, 0.6),
    (r"(conv_shortcut|downsamplers\.0\.conv|upsamplers\.0\.conv|proj_out)$", SMALL, 1.5 * SMALL),
    (r"(conv_in|proj_in)$", SMALL, 1),
    (r"(to_out\.0|proj_attn|out_proj|ff\.net\.2|mlp\.fc2)$", 0.5 * SMALL, 0.5),
    (r"(to_q|to_k|to_v|query|key|value|q_proj|k_proj|v_proj)$", 1.2, 1),
    (r"(ff\.net\.0\.proj|mlp\.fc1)$", 1.5, 1),
    (r"(conv_out|linear_1|linear_2|quant_conv|post_quant_conv)$", 1, 0.7),
]


def draw_weights(model, generator, dtype):
    """Random weights of the sizes above, rounded to the type that they are saved in: the file holds them exactly."""
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if weight is None:
            continue
        if isinstance(module, (torch.nn.GroupNorm, torch.nn.LayerNorm)):
            weight.data = 1 + 0.2 * torch.randn(weight.shape, generator=generator)
            module.bias.data = 0.2 * torch.randn(module.bias.shape, generator=generator)
        elif isinstance(module, torch.nn.Embedding):
            weight.data = 0.7 * SMALL * torch.randn(weight.shape, generator=generator)
        else:
            out, into = next((out, into) for pattern, out, into in OUTPUTS if re.search(pattern, name))
            fan_in = weight[0].numel()
            weight.data = out / into / math.sqrt(fan_in) * torch.randn(weight.shape, generator=generator)
            if module.bias is not None:
                module.bias.data = 0.3 * out * torch.randn(module.bias.shape, generator=generator)
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype).double()


class Watch:
    """Notes, during a forward pass, how large the inputs of all norms are and what the named blocks put out."""

    def __init__(self, model, blocks=NO_BLOCKS):
        self.deviations, self.outputs, self.hooks = [], {}, []
        for name, module in model.named_modules():
            if isinstance(module, (torch.nn.GroupNorm, torch.nn.LayerNorm)):
                self.hooks.append(module.register_forward_pre_hook(self.note_input(name)))
            if re.fullmatch(blocks, name):
                self.hooks.append(module.register_forward_hook(self.note_output(name)))

    def note_input(self, name):
        def hook(_, inputs):
            self.deviations.append((inputs[0].std().item(), name))

        return hook

    def note_output(self, name):
        def hook(_, inputs, output):
            self.outputs[name] = (output[0] if isinstance(output, tuple) else output).clone()

        return hook

    def finish(self, what):
        for hook in self.hooks:
            hook.remove()
        (low, lowest), (high, highest) = min(self.deviations), max(self.deviations)
        print(f"{what:30} {len(self.deviations):3} norm inputs, deviation {low:.4f} to {high:.4f}")
        assert low >= 0.001, f"{what}: the input of {lowest} has deviation {low}"
        assert high <= 0.06, f"{what}: the input of {highest} has deviation {high}"


def save(model, folder, golden, dtype):
    shutil.rmtree(folder, ignore_errors=True)
    model.to(dtype).save_pretrained(folder)
    golden = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in golden.items()}
    save_file({name: tensor.contiguous() for name, tensor in golden.items()}, f"{folder}/golden.safetensors")
    path = f"{folder}/config.json"
    config = json.load(open(path))
    for key in ("_name_or_path", "transformers_version"):
        config.pop(key, None)
    json.dump(config, open(path, "w"), indent=2, sort_keys=True)


def rename_weights(path, rename, change=lambda name, tensor: tensor, extra={}):
    tensors = {rename(name): change(name, tensor.clone()) for name, tensor in load_file(path).items()}
    save_file({**tensors, **extra}, path, metadata={"format": "pt"})


# ---- text encoders -------------------------------------------------------------------------------------------------


def text_encoder(root, name, seed, config, cases, dtype=torch.float16, old_names=False):
    generator = torch.Generator().manual_seed(seed)
    model = CLIPTextModel(CLIPTextConfig(bos_token_id=0, eos_token_id=1, pad_token_id=1, **config)).eval()
    draw_weights(model, generator, dtype)
    golden = {}
    watch = Watch(model)
    for k, (batch, length) in enumerate(cases):
        ids = torch.randint(0, config["vocab_size"], (batch, length), generator=generator)
        golden[f"input_ids.{k}"] = ids
        golden[f"text_embeddings.{k}"] = model(ids).last_hidden_state
    watch.finish(name)
    save(model, f"{root}/{name}", golden, dtype)
    if old_names:  # as transformers 4 wrote them
        positions = {"text_model.embeddings.position_ids": torch.arange(config["max_position_embeddings"])[None]}
        rename_weights(f"{root}/{name}/model.safetensors", lambda n: "text_model." + n, extra=positions)


def text_encoders(root):
    common = dict(vocab_size=60, max_position_embeddings=20)
    text_encoder(root, "text_sd1", 1, dict(hidden_size=16, intermediate_size=64, num_hidden_layers=2,
                                           num_attention_heads=2, hidden_act="quick_gelu", **common),
                 [(2, 20), (1, 7)])
    text_encoder(root, "text_sd2_old_names", 2, dict(hidden_size=24, intermediate_size=96, num_hidden_layers=3,
                                                     num_attention_heads=3, hidden_act="gelu", **common),
                 [(1, 20), (2, 11)], dtype=torch.bfloat16, old_names=True)


# ---- U-Nets --------------------------------------------------------------------------------------------------------


def unet(root, name, seed, config, cases, dtype=torch.float16, blocks=NO_BLOCKS):
    """cases: (batch, height, width, words, timestep), the timestep a number or one for each picture."""
    generator = torch.Generator().manual_seed(seed)
    model = UNet2DConditionModel(**config).eval()
    draw_weights(model, generator, dtype)
    dim = config["cross_attention_dim"]
    dim = dim if isinstance(dim, int) else dim[0]
    golden = {}
    watch = Watch(model, blocks)
    for k, (batch, height, width, words, timestep) in enumerate(cases):
        latents = torch.randn(batch, config.get("in_channels", 4), height, width, generator=generator)
        text = torch.randn(batch, words, dim, generator=generator)
        timesteps = torch.tensor(timestep, dtype=torch.float32).expand(batch).clone()
        golden |= {f"latents.{k}": latents, f"text_embeddings.{k}": text, f"timesteps.{k}": timesteps,
                   f"noise_pred.{k}": model(latents.double(), timesteps, text.double()).sample}
        if k == 0:
            golden |= {f"unet.{block}": output for block, output in watch.outputs.items()}
            watch.outputs = {}
    watch.finish(name)
    save(model, f"{root}/{name}", golden, dtype)


def unets(root):
    down, up = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
    plain_down, plain_up = "DownBlock2D", "UpBlock2D"
    # Stable Diffusion 1.x: four levels, one number of heads for all, 1x1 convolutions as projections; odd sizes
    unet(root, "unet_sd1", 11, dict(sample_size=8, block_out_channels=(8, 8, 16, 16), layers_per_block=1,
                                    down_block_types=(down, down, down, plain_down),
                                    up_block_types=(plain_up, up, up, up), norm_num_groups=4, attention_head_dim=4,
                                    cross_attention_dim=12),
         [(1, 8, 8, 5, 421), (2, 8, 16, 5, [999, 3]), (1, 7, 9, 6, 17.25), (1, 13, 5, 3, 0)],
         blocks=r"(down_blocks|up_blocks)\.\d|(down_blocks|up_blocks)\.\d\.(resnets|attentions)\.0|mid_block")
    # Stable Diffusion 2.x: heads by level, linear projections, two layers a block; two transformers in one level
    unet(root, "unet_sd2", 12, dict(sample_size=8, block_out_channels=(8, 8, 16), layers_per_block=2,
                                    down_block_types=(down, down, plain_down), up_block_types=(plain_up, up, up),
                                    norm_num_groups=2, attention_head_dim=(1, 2, 4), cross_attention_dim=10,
                                    use_linear_projection=True, upcast_attention=True,
                                    transformer_layers_per_block=(1, 2, 1)),
         [(2, 12, 8, 4, 500), (1, 5, 10, 7, 980)])
    # one level; everything about time the other way round; only the words are looked at; centred input
    unet(root, "unet_one_level", 13, dict(sample_size=6, block_out_channels=(8,), layers_per_block=2,
                                          down_block_types=(down,), up_block_types=(up,), norm_num_groups=2,
                                          attention_head_dim=2, cross_attention_dim=8, flip_sin_to_cos=False,
                                          freq_shift=1, only_cross_attention=True, center_input_sample=True,
                                          in_channels=3, out_channels=5),
         [(1, 5, 6, 4, 88), (2, 3, 7, 2, 640)])
    # two levels, lists for all that may be a list, attention where Stable Diffusion has none, the VAE's kind of padding
    unet(root, "unet_two_levels", 14, dict(sample_size=8, block_out_channels=(12, 8), layers_per_block=(1, 2),
                                           down_block_types=(plain_down, down), up_block_types=(up, plain_up),
                                           norm_num_groups=4, attention_head_dim=(3, 4), cross_attention_dim=(6, 6),
                                           only_cross_attention=(False, True), downsample_padding=0, norm_eps=1e-6,
                                           in_channels=9), [(1, 8, 6, 3, 250), (1, 7, 9, 3, 10)], dtype=torch.bfloat16)
    # eight levels: down to a single pixel and back
    unet(root, "unet_eight_levels", 15, dict(sample_size=16, block_out_channels=(4,) * 8, layers_per_block=1,
                                             down_block_types=(plain_down,) * 7 + (down,),
                                             up_block_types=(up,) + (plain_up,) * 7, norm_num_groups=1,
                                             attention_head_dim=2, cross_attention_dim=4), [(1, 16, 9, 3, 777)])


# ---- VAEs ----------------------------------------------------------------------------------------------------------


def vae(root, name, seed, config, cases, dtype=torch.float16, old_names=None):
    """cases: (batch, height, width) in pixels. old_names: the rank of the old attention weights, 2 or 4."""
    generator = torch.Generator().manual_seed(seed)
    model = AutoencoderKL(norm_num_groups=4, sample_size=16, **config).eval()
    draw_weights(model, generator, dtype)
    factor = 2 ** (len(config["block_out_channels"]) - 1)
    golden = {}
    watch = Watch(model)
    for k, (batch, height, width) in enumerate(cases):
        pixels = torch.rand(batch, 3, height, width, generator=generator) * 2 - 1
        latents = torch.randn(batch, config.get("latent_channels", 4), height // factor, width // factor,
                              generator=generator)
        posterior = model.encode(pixels.double()).latent_dist
        golden |= {f"pixels.{k}": pixels, f"moments.{k}": posterior.parameters,
                   f"latents.{k}": latents, f"decoded.{k}": model.decode(latents.double()).sample}
    watch.finish(name)
    save(model, f"{root}/{name}", golden, dtype)
    if old_names:  # as diffusers wrote them before 0.15
        old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

        def rename(weight):
            return re.sub(r"(to_q|to_k|to_v|to_out\.0)(?=\.(weight|bias)$)", lambda match: old[match[0]], weight)

        def reshape(weight, tensor):
            matrix = re.search(r"\.to_\w+(\.0)?\.weight$", weight)
            return tensor[:, :, None, None].contiguous() if matrix and old_names == 4 else tensor

        rename_weights(f"{root}/{name}/diffusion_pytorch_model.safetensors", rename, reshape)


def vaes(root):
    def levels(*channels):
        return dict(block_out_channels=channels, down_block_types=("DownEncoderBlock2D",) * len(channels),
                    up_block_types=("UpDecoderBlock2D",) * len(channels))

    vae(root, "vae_sd1", 21, dict(**levels(8, 8, 16, 16), layers_per_block=1), [(1, 16, 24), (2, 24, 8)])
    vae(root, "vae_one_level", 22, dict(**levels(8), layers_per_block=1, latent_channels=3), [(1, 7, 5)], old_names=4)
    vae(root, "vae_two_levels", 23, dict(**levels(4, 8), layers_per_block=2, use_quant_conv=False,
                                         use_post_quant_conv=False), [(1, 10, 6)], dtype=torch.float32, old_names=2)
    vae(root, "vae_three_levels", 24, dict(**levels(8, 8, 16), layers_per_block=1, mid_block_add_attention=False,
                                           latent_channels=8), [(2, 8, 12)])


@torch.no_grad()
def main():
    for package, version in VERSIONS.items():
        found = __import__(package).__version__.split("+")[0]
        if found != version:
            print(f"note: {package} is {found}, the committed goldens were made with {version}")
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()
    root = sys.argv[1] if len(sys.argv) > 1 else "tests/golden/stages"
    os.makedirs(root, exist_ok=True)
    text_encoders(root)
    unets(root)
    vaes(root)
    files = [os.path.join(folder, file) for folder, _, files in os.walk(root) for file in files]
    for file in files:
        os.chmod(file, 0o644)
    size = sum(os.path.getsize(file) for file in files)
    print(f"{size} bytes in {root}")


if __name__ == "__main__":
    main()
