# models.py - the three networks, the scheduler, and the pipeline they make: shapes only, no weights
#
# Where: vae.py and train.py fill these with what they learn; export.py writes them as a folder.
# Elsewhere: the same classes make Stable Diffusion 1.5 (channels 320 640 1280 1280, 860 M; here 80 128 128, 6.5 M).

from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel


def make_vae():
    """Pictures [3, 128, 128] <-> latents [4, 16, 16].

    Narrow where the picture is large: at 128x128 a channel costs 64 times what it costs at 16x16.
    """
    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, sample_size=128,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 32, 64, 96), layers_per_block=1, norm_num_groups=8, force_upcast=False)


def make_text_encoder(tokenizer):
    """Token ids [77] -> states [77, 128]."""
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=128, intermediate_size=512, num_hidden_layers=3, num_attention_heads=4,
        max_position_embeddings=77, hidden_act="quick_gelu", projection_dim=128, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id))


def make_unet():
    """Noisy latents [4, 16, 16], timestep, states [77, 128] -> the noise in them [4, 16, 16].

    Levels of 16x16, 8x8 and 4x4; text comes in at the first two on the way down and up, and in the middle.
    attention_head_dim is the number of heads of each level (the name is diffusers' known slip): 40, 32 and 32 wide.
    """
    return UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, block_out_channels=(80, 128, 128), layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=(2, 4, 4), cross_attention_dim=128, norm_num_groups=16)


def make_scheduler():
    return DDIMScheduler(
        num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        prediction_type="epsilon", timestep_spacing="leading", steps_offset=1, clip_sample=False, set_alpha_to_one=False)


def make_pipeline(vae, text_encoder, tokenizer, unet):
    pipeline = StableDiffusionPipeline(
        vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet, scheduler=make_scheduler(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def parameters_of(model):
    return sum(p.numel() for p in model.parameters())
