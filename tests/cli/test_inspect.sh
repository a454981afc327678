#!/bin/bash
# test_inspect.sh - `sculpt inspect`: what it says is in a checkpoint, and what it says a picture costs

. tests/cli/cases.sh

forms=$tree/tests/cli/checkpoint_forms.py
shapes=$tree/tests/golden/shapes

# inspects PATH ARGUMENT...: the object goes to the file `object`
inspects() {
    accepts inspect --json "$@"
    expect "lines" "$(wc -l <"$work/stdout")" 1
    cp "$work/stdout" object
}

critters=$tree/data/models/critters

what_is_in_it() {
    inspects "$critters"
    says .family '"other"'
    says .trained_size 128
    says .text_encoder.class '"CLIPTextModel"'
    says .unet.class '"UNet2DConditionModel"'
    says .vae.class '"AutoencoderKL"'
    says .scheduler '{"class":"DDIMScheduler","name":"ddim","prediction_type":"epsilon","timestep_spacing":"leading"}'
    says .tokenizer '{"vocabulary":732,"length":77}'
    for stage in text_encoder unet vae; do
        holds ".$stage | .stored == {F16: .parameters} and .stored_bytes == 2 * .parameters and .weight_bytes == 4 * .parameters"
        weights=$(ls "$critters"/$stage/*.safetensors)
        numbers=$(head -c $((8 + $(od -An -t u8 -N 8 "$weights"))) "$weights" | tail -c +9 |
            jq '[del(.__metadata__)[].shape | reduce .[] as $axis (1; . * $axis)] | add')
        says .$stage.parameters "$numbers"
    done
    accepts inspect "$critters"
    for text in "a kind of its own: a U-Net of 80, 128, 128 channels" "UNet2DConditionModel" "F16" "prediction type epsilon" \
        "At home at 128 x 128" "A picture of 128 x 128, 20 steps of ddim, guidance 7.5" "A picture of 512 x 512" \
        "FLOP in all" "40 calls, two a step" "A thousand dollars buy" "at 100 W" "at \$0.30 a kWh" "time  *about .* here"; do
        grep -q -e "$text" "$work/stdout" || problem "nothing about \"$text\""
    done
    [ ! -s "$work/stderr" ] || problem "said on stderr: $(head -n 1 "$work/stderr")"
}

stored_formats() {
    cp -r "$model" mixed
    python3 "$forms" holes "$shapes"/vae/shapes.txt.gz mixed/vae/diffusion_pytorch_model.safetensors BF16
    cp "$shapes"/vae/config.json mixed/vae/
    inspects mixed
    holds ".vae.stored == {BF16: 83653863} and .unet.stored == {F16: .unet.parameters}"
    accepts inspect mixed
    grep -q "^VAE .*83.7 M .*BF16 .*167 MB .*335 MB" "$work/stdout" || problem "$(grep ^VAE "$work/stdout")"
    inspects "$model" --weights f16
    whole=$(jq .unet.weight_bytes object)
    inspects "$model"
    jq -e "$whole < 0.65 * .unet.weight_bytes" object >/dev/null || problem "half precision takes $whole bytes"
    expect "precision" "$(jq -c '[.pictures[].precision] | unique' object)" '["f32"]'
    inspects "$model" --precision bf16
    expect "bytes in bf16, as many as in f16" "$(jq .unet.weight_bytes object)" "$whole"
    expect "precision" "$(jq -c '[.pictures[].precision] | unique' object)" '["bf16"]'
    accepts inspect "$model" --precision bf16
    grep -q "^A picture of .*guidance 7.5, in bf16:$" "$work/stdout" || problem "it isn't said to be in bf16"
}

costs_add_up() {
    inspects "$critters" -s 10 -g 4 --scheduler heun --watts 60 --price 0.25
    says '[.pictures[] | [.width, .height]]' "[[128,128],[512,512]]"
    says '[.watts, .price_per_kwh]' "[60,0.25]"
    for picture in 0 1; do
        holds ".pictures[$picture] | .num_inference_steps == 10 and .timesteps == 19 and .unet_calls == 38 and .scheduler == \"heun\""
        holds ".pictures[$picture] | .guidance_scale == 4 and .flops.encode == 0 and .activation_bytes > 1e6"
        holds ".pictures[$picture] | .flops | (.all / (.text + 19 * .step + .decode) - 1 | fabs) < 1e-6"
        holds ".pictures[$picture] | .flops | [.step_by_op[]] | length == 3 and min > 0"
        holds ".pictures[$picture] | .flops | ([.step_by_op[]] | add) < .step and ([.step_by_op[]] | add) > 0.9 * .step"
        holds ".pictures[$picture] | (.watt_hours / (.seconds * 60 / 3600) - 1 | fabs) < 1e-5"
        holds ".pictures[$picture] | (.price / (.watt_hours / 1000 * 0.25) - 1 | fabs) < 1e-5"
        holds ".pictures[$picture] | (.pictures_for_1000 * .price / 1000 - 1 | fabs) < 1e-5"
        holds ".pictures[$picture] | .seconds_least < .seconds and .seconds < .seconds_most"
    done
    holds ".pictures[1].flops.step > 16 * .pictures[0].flops.step and .pictures[1].seconds > 4 * .pictures[0].seconds"
    inspects "$critters" -W 128 -H 128 --deep-cache 3 --guidance-interval 0.5,100
    says '.pictures[0] | [.timesteps, .shallow_steps, .unguided_steps, .unet_calls]' "[20,13,4,36]"
    holds ".pictures[0].flops | .steps < 10 * .step and (.all / (.text + .steps + .decode) - 1 | fabs) < 1e-6"
    accepts inspect "$critters" --deep-cache 3 --guidance-interval 0.5,100
    grep -q "4 steps outside the guidance interval, 13 with deep features of an earlier one" "$work/stdout" ||
        problem "nothing about what is left out"
    inspects "$critters" -g 1 -W 128 -H 128
    says '[.pictures[] | [.width, .height, .unet_calls]]' "[[128,128,20]]"
    accepts inspect "$critters" -g 1 -s 1 -W 128 -H 128
    grep -q "^  U-Net  *1 call$" "$work/stdout" || problem "one call: $(grep "  U-Net" "$work/stdout")"
    inspects "$critters" -W 64
    says '[.pictures[] | [.width, .height]]' "[[128,128],[64,128]]"
}

# The same plan as a run prints, and about the time that it takes. Other programs may be at work meanwhile, so that the
# time is asked for up to three times, and only a wrong magnitude is a failure.
costs_are_a_runs() {
    local least
    for attempt in 1 2 3; do
        inspects "$critters" -s 20 -W 128 -H 128
        accepts "a red cat" -m "$critters" --seed 1
        taken=$(grep -o "20 steps [0-9.]* s" "$work/stderr" | grep -o "[0-9.]* s$" | grep -o "[0-9.]*")
        jq -e ".pictures[0].seconds / $taken | . > 1/3 and . < 3" object >/dev/null && break
        [ $attempt != 3 ] || problem "took $taken s, and $(jq '.pictures[0].seconds' object) were estimated"
    done
    least=$(printf %.3g "$(jq '.pictures[0].activation_bytes / 1e6' object)")
    grep -q "memory 35.5 MB weights + $least MB activations" "$work/stderr" || problem "memory: $(grep memory "$work/stderr")"
    inspects "$critters" -s 2 -W 128 -H 128
    fast=$(jq '.pictures[0].seconds' object)
    inspects "$critters" -s 2 -W 128 -H 128 --kernel conv2d=naive
    jq -e ".pictures[0].seconds > 2 * $fast" object >/dev/null || problem "the definition isn't said to take longer"
    inspects "$critters" -s 2 --threads 1
    says .threads 1
}

families() {
    cp -r "$model" lcm && rm -r lcm/unet && cp -r "$tree"/tests/golden/stages/unet_lcm lcm/unet
    cp "$tree"/tests/golden/families/lcm/scheduler_config.json lcm/scheduler/
    inspects lcm
    holds '.lcm and (.inpainting or .distilled | not) and .pictures[0].unet_calls == 4 and .pictures[0].guidance_scale == 8.5'
    cp -r "$model" nine && rm -r nine/unet && cp -r "$tree"/tests/golden/stages/unet_inpaint nine/unet
    inspects nine
    holds '.inpainting and .pictures[0].flops.encode > 0'
    accepts inspect nine
    grep -q "for inpainting" "$work/stdout" && grep -q ", encoding .*FLOP" "$work/stdout" || problem "inpainting isn't told"
    inspects "$tree"/tests/golden/runs/sd2
    says .scheduler.prediction_type '"v_prediction"'
    inspects "$model" --vae "$tree"/tests/golden/stages/vae_tiny
    says .vae.class '"AutoencoderTiny"'
}

# Stable Diffusion 1.5 itself, but for its numbers: files of holes, which are planned like any other.
stable_diffusion() {
    cp -r "$model" sd
    for stem in unet/diffusion_pytorch_model vae/diffusion_pytorch_model text_encoder/model; do
        cp "$shapes"/"$(dirname $stem)"/config.json sd/"$(dirname $stem)"/
        python3 "$forms" holes "$shapes"/"$(dirname $stem)"/shapes.txt.gz sd/$stem.safetensors F32
    done
    inspects sd -s 50
    says .family '"sd1"'
    says .family_text '"Stable Diffusion 1.x"'
    says '[.text_encoder, .unet, .vae | .parameters]' "[123060480,859520964,83653863]"
    says '[.pictures[] | [.width, .height, .unet_calls]]' "[[512,512,100]]"
    holds '.pictures[0].flops | .step > 1.6e12 and .step < 1.62e12 and .decode > 2.5e12 and .decode < 2.54e12'
    holds '.pictures[0].activation_bytes < 700e6 and .pictures[0].weight_bytes == 4 * 1066235307'
    holds '.pictures[0].pictures_for_1000 > 1000'
}

single_files() {
    python3 "$tree/data/critters/train/single_file.py" "$model" sd1.safetensors --with-configs
    inspects "$model"
    jq 'del(.path, .pictures[].seconds, .memory_free)' object >folder
    inspects sd1.safetensors --tokenizer "$model/tokenizer"
    holds '.unet.parameters > 0'
    for part in text_encoder unet vae scheduler family; do
        expect "$part of a single file" "$(jq -c .$part object)" "$(jq -c .$part folder)"
    done
    inspects sd1.safetensors
    says .tokenizer null
    expect "the cost without a tokenizer" "$(jq -c '[.pictures[].flops]' object)" "$(jq -c '[.pictures[].flops]' folder)"
}

names_that_are_not_utf8() {
    local odd=$'m\xff\xc3del'
    cp -r "$model" "$odd" || return
    inspects "$odd"
    says .path '"m\\xff\\xc3del"'
}

refusals() {
    refuses 2 "the path is missing" inspect
    refuses 2 "a second path" inspect "$model" "$model"
    for watts in 0 -1 x nan 1e9; do refuses 2 "watts" inspect "$model" --watts "$watts"; done
    for price in 0 -1 x inf 1e9; do refuses 2 "price" inspect "$model" --price "$price"; done
    refuses 2 "no such option" inspect "$model" --seed 1
    refuses 2 "no such option" inspect "$model" -m "$model"
    refuses 2 "no such option" "a cat" --watts 3
    refuses 2 "no such option" tokenize "a cat" --price 3
    refuses 1 "nowhere" inspect nowhere
    refuses 1 "nowhere" inspect nowhere --json
    refuses 1 "101" inspect "$model" -W 101
    refuses 1 "steps" inspect "$model" -s 1001
    echo x >model.ckpt
    refuses 1 "is a pickle" inspect model.ckpt
    cp -r "$model" broken && truncate -s 1000 broken/unet/diffusion_pytorch_model.safetensors
    refuses 1 "unet/diffusion_pytorch_model" inspect broken
    refuses 1 "nowhere" inspect "$model" --vae nowhere
}

help_teaches() {
    accepts inspect --help
    for option in watts price json scheduler scheduler-config vae tokenizer weights precision threads kernel; do
        grep -q -e "--$option\b" "$work/stdout" || problem "--$option is not in inspect --help"
    done
    [ "$(wc -L <"$work/stdout")" -le 120 ] || problem "lines of inspect --help are too long"
}

cases=(what_is_in_it stored_formats costs_add_up costs_are_a_runs families stable_diffusion single_files
    names_that_are_not_utf8 refusals help_teaches)
run_cases
