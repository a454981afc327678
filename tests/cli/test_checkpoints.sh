#!/bin/bash
# test_checkpoints.sh - the forms that a model comes in, and what is said of those that aren't opened

. tests/cli/cases.sh

forms=$tree/tests/cli/checkpoint_forms.py
unet_name=model.diffusion_model.input_blocks.0.0.weight
text_name=cond_stage_model.transformer.text_model.embeddings.token_embedding.weight

# same_picture WHAT ARGUMENT...: the picture that the model's own folder makes
same_picture() {
    local what=$1
    shift
    [ -e own.png ] || draw "a red cat" -o own.png
    accepts "a red cat" -s 2 --seed 1 -o other.png "$@"
    cmp -s <(python3 "$forms" pixels own.png) <(python3 "$forms" pixels other.png) || problem "$what makes another picture"
}

# ---- folders --------------------------------------------------------------------------------------------------------

weights_in_parts() {
    for stem in unet/diffusion_pytorch_model vae/diffusion_pytorch_model text_encoder/model; do
        cp -r "$model" parted
        python3 "$forms" parts parted/$stem.safetensors parted/"$(dirname $stem)" "$(basename $stem)" $variant
        rm parted/$stem.safetensors
        same_picture "$stem in parts" -m parted
        rm -r parted
    done
}

weights_in_half_precision_parts() { variant=fp16 weights_in_parts; }

variants() {
    cp -r "$model" variant
    for stem in unet/diffusion_pytorch_model vae/diffusion_pytorch_model text_encoder/model; do
        mv variant/$stem.safetensors variant/$stem.fp16.safetensors
    done
    same_picture "an fp16 variant" -m variant
}

broken_parts() {
    local index=parted/unet/diffusion_pytorch_model.safetensors.index.json
    cp -r "$model" parted
    python3 "$forms" parts parted/unet/diffusion_pytorch_model.safetensors parted/unet diffusion_pytorch_model
    rm parted/unet/diffusion_pytorch_model.safetensors
    cp $index whole.json
    echo '{"weight_map": {}}' >$index
    refuses 1 "weight_map" "a cat" -m parted
    echo '{"weight_map' >$index
    refuses 1 "index.json" "a cat" -m parted
    jq '.weight_map["conv_in.weight"] = "../../../x.safetensors"' whole.json >$index
    refuses 1 "no name of a file beside it" "a cat" -m parted
    jq '.weight_map["conv_in.weight"] = 7' whole.json >$index
    refuses 1 "no name of a file beside it" "a cat" -m parted
    jq '.weight_map["conv_in.wait"] = .weight_map["conv_in.weight"]' whole.json >$index
    refuses 1 "conv_in.wait" "a cat" -m parted
    jq '.weight_map["conv_in.weight"] = "part.bin"' whole.json >$index && touch parted/unet/part.bin
    refuses 1 "pickle" "a cat" -m parted
    cp whole.json $index && rm parted/unet/*-00002-of-00002.safetensors
    refuses 1 "00002-of-00002.safetensors" "a cat" -m parted
}

pickles() {
    for name in model.ckpt model.pt model.bin model.pth; do
        echo x >$name
        refuses 1 "is a pickle" "a cat" -m $name
        grep -q "weights_only=True" "$work/stderr" || problem "how to convert $name isn't said"
    done
    for stem in unet/diffusion_pytorch_model vae/diffusion_pytorch_model; do
        cp -r "$model" pickled && mv pickled/$stem.safetensors pickled/$stem.bin
        refuses 1 "$stem.bin: is a pickle" "a cat" -m pickled
        rm -r pickled
    done
    cp -r "$model" pickled && mv pickled/text_encoder/model.safetensors pickled/text_encoder/pytorch_model.bin
    refuses 1 "pytorch_model.bin: is a pickle" "a cat" -m pickled
}

other_families() {
    mkdir -p other
    for family in "StableDiffusionXLPipeline Stable Diffusion XL" "StableDiffusion3Pipeline Stable Diffusion 3" \
        "FluxPipeline Flux" "StableCascadeDecoderPipeline Stable Cascade" "PixArtAlphaPipeline PixArt"; do
        echo "{\"_class_name\": \"${family%% *}\"}" >other/model_index.json
        refuses 1 "is ${family#* }" "a cat" -m other
    done
}

# ---- single files ---------------------------------------------------------------------------------------------------

single_files() {
    python3 "$tree/data/critters/train/single_file.py" "$model" sd1.safetensors --with-configs
    same_picture "Stable Diffusion 1.x in a single file" -m sd1.safetensors --tokenizer "$model/tokenizer"
    rm own.png
    model=$tree/tests/golden/runs/sd2
    python3 "$tree/data/critters/train/single_file.py" "$model" sd2.safetensors --with-configs
    same_picture "Stable Diffusion 2.x in a single file" -m sd2.safetensors --tokenizer "$model/tokenizer"
    accepts tokenize "a cat" -m sd2.safetensors --tokenizer "$model/tokenizer" --json
    expect "padding of 2.x" "$(jq -c '.ids[-1]' "$work/stdout")" 0
    accepts schedulers -m sd2.safetensors
    model=$tree/tests/golden/runs/sd1
}

critters_in_a_single_file() {
    local critters=$tree/data/models/critters
    accepts "a red cat" -m "$critters" -s 2 --seed 1 -o own.png
    same_picture "critters in a single file" -m "$tree/build/critters.safetensors" --tokenizer "$critters/tokenizer"
    same_picture "critters in half precision, as it is stored" -m "$critters" --weights f16
}

half_weights() {
    draw "a red cat" -o whole.png
    whole=$(grep -o "memory [0-9.]* [kM]B weights" "$work/stderr" | grep -o "[0-9.]*")
    draw "a red cat" --weights f16 -o half.png
    half=$(grep -o "memory [0-9.]* [kM]B weights" "$work/stderr" | grep -o "[0-9.]*")
    jq -en "$half < 0.65 * $whole" >/dev/null || problem "weights took $whole, and $half in half precision"
    for variant in naive openmp blas; do
        draw "a red cat" --weights f16 --kernel conv2d=$variant --kernel linear=$variant -o half.png
    done
    refuses 2 "f16 or f32" "a cat" --weights f8
}

precision() {
    local critters=$tree/data/models/critters
    draw "a red cat" -o whole.png --trace whole.safetensors
    whole=$(grep -o "memory [0-9.]* [kM]B weights" "$work/stderr" | grep -o "[0-9.]*")
    draw "a red cat" --precision f32 -o asked.png
    cmp -s whole.png asked.png || problem "f32, asked for, makes another picture"
    ! grep -qa "precision" whole.png || problem "a picture in f32 tells of a precision"
    draw "a red cat" --precision bf16 -o brain.png --trace brain.safetensors
    brain=$(grep -o "memory [0-9.]* [kM]B weights" "$work/stderr" | grep -o "[0-9.]*")
    jq -en "$brain < 0.65 * $whole" >/dev/null || problem "weights took $whole, and $brain in bf16"
    grep -q "precision bf16$" "$work/stderr" || problem "it isn't said to compute in bf16"
    ! cmp -s whole.png brain.png || problem "bf16 changes nothing"
    grep -qa "Precision: bf16, " brain.png || problem "the PNG doesn't tell the precision"
    expect "the trace's precision" "$(trace_header brain.safetensors | jq -r .__metadata__.precision)" bf16
    expect "the trace's linear" "$(trace_header brain.safetensors | jq -r .__metadata__.kernels | grep -o ' linear=[^ ]*')" \
        "$("$sculpt" kernels | sed -n '/^linear:/,/^$/s/^  b \([^ ]*\).*/ linear=\1/p')"
    draw "a red cat" --precision bf16 --kernel linear=blas -o blas.png
    draw "a red cat" --kernel linear=bf16 -o kernel.png
    ! cmp -s whole.png kernel.png || problem "linear=bf16 on f32 weights changes nothing"
    draw "a red cat" --weights f16 --kernel linear=bf16 -o both.png
    accepts "a red cat" -m "$critters" -s 2 --seed 1 --precision bf16 --lora "$tree/data/models/critters-blueprint.safetensors" -o lora.png
    refuses 2 "leave one out" "a cat" --weights f16 --precision bf16
    refuses 2 "leave one out" "a cat" --precision bf16 --weights f32
    refuses 2 "use bf16" "a cat" --precision f16
    refuses 2 "f32 or bf16" "a cat" --precision f8
    refuses 2 "given twice" "a cat" --precision f32 --precision bf16
    refuses 2 "no such option" tokenize "a cat" --precision bf16
}

tokenizers() {
    python3 "$tree/data/critters/train/single_file.py" "$model" sd1.safetensors --with-configs
    refuses 1 "make clip-vocab" "a cat" -m sd1.safetensors
    refuses 1 "make clip-vocab" tokenize "a cat" -m sd1.safetensors
    refuses 1 "has 732 ids" "a cat" -m sd1.safetensors --tokenizer "$tree/data/models/critters/tokenizer"
    refuses 1 "nowhere" "a cat" -m sd1.safetensors --tokenizer nowhere
}

other_single_files() {
    while read -r pattern name; do
        python3 "$forms" names other.safetensors $name
        refuses 1 "${pattern//_/ }" "a cat" -m other.safetensors --tokenizer "$model/tokenizer"
    done <<END
Stable_Diffusion_XL conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias
Stable_Diffusion_XL $unet_name conditioner.embedders.0.transformer.text_model.final_layer_norm.bias
Stable_Diffusion_3 model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias
Flux double_blocks.0.img_attn.norm.key_norm.scale
Flux model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale
AuraFlow model.diffusion_model.double_layers.0.attn.w2q.weight
ControlNet control_model.time_embed.0.weight
is_a_LoRA lora_unet_mid_block_attentions_0_proj_in.lora_down.weight
is_a_LoRA unet.mid_block.attentions.0.proj_in.lora_A.weight
only_a_U-Net down_blocks.0.resnets.0.conv1.weight
only_an_autoencoder decoder.conv_in.weight encoder.down_blocks.0.resnets.0.conv1.weight
only_a_text_encoder text_model.final_layer_norm.weight
no_text_encoder $unet_name first_stage_model.decoder.conv_in.weight
no_autoencoder $unet_name $text_name
no_Stable_Diffusion x
END
    echo '{}' >model.json
    refuses 1 "no .safetensors" "a cat" -m model.json
    refuses 1 "no .safetensors" tokenize "a cat" -m model.json --tokenizer "$model/tokenizer"
    refuses 1 "no .safetensors" inspect model.json
    head -c 1000 "$tree/build/critters.safetensors" >cut.safetensors
    refuses 1 "nowhere.safetensors: can't be opened" "a cat" -m nowhere.safetensors --tokenizer "$model/tokenizer"
    refuses 1 "cut.safetensors" "a cat" -m cut.safetensors --tokenizer "$model/tokenizer"
}

# Weights tell less than configs: heads, groups and sizes are taken to be Stable Diffusion's, which this model hasn't.
single_files_of_other_sizes() {
    python3 "$tree/data/critters/train/single_file.py" "$model" plain.safetensors
    refuses 1 "plain.safetensors" "a cat" -m plain.safetensors --tokenizer "$model/tokenizer"
}

cases=(weights_in_parts weights_in_half_precision_parts variants broken_parts pickles other_families single_files
    critters_in_a_single_file half_weights precision tokenizers other_single_files single_files_of_other_sizes)
run_cases
