#!/bin/bash
# test_loras.sh - --lora: files and weights, how a picture tells them, and what is said of those that can't be added

. tests/cli/cases.sh

forms=$tree/tests/cli/checkpoint_forms.py
loras=$tree/tests/golden/lora

# draw_with NAME ARGUMENT...: NAME.png, and NAME.trace.safetensors
draw_with() {
    local name=$1
    shift
    draw "a red cat" -o "$name.png" --trace "$name.trace.safetensors" "$@"
}

# compare NAME NAME CONDITION: prints the mean square of the difference between two pictures, whose numbers are in 0..1
compare() {
    paste <(trace_pixels "$1.trace.safetensors") <(trace_pixels "$2.trace.safetensors") |
        awk "{ sum += (\$1 - \$2) ^ 2 } END { print sum / NR; exit !(NF == 2 && sum / NR $3) }"
}

same() { off=$(compare "$1" "$2" "<= ${3:-1e-9}") || problem "$1 and $2 differ by $off"; }
other() { off=$(compare "$1" "$2" ">= 1e-4") || problem "$1 and $2 only differ by $off"; }

weights() {
    draw_with plain
    draw_with whole --lora "$loras/style.safetensors"
    grep -q "^lora $loras/style.safetensors: weight 1, 24 layers changed" "$work/stderr" || problem "the LoRA isn't reported"
    draw_with nothing --lora "$loras/style.safetensors:0"
    draw_with halves --lora "$loras/style.safetensors:.5" --lora="$loras/style.safetensors:+5e-1"
    draw_with away --lora "$loras/style.safetensors:1" --lora "$loras/style.safetensors:-1"
    draw_with both --lora "$loras/style.safetensors" --lora "$loras/other.safetensors:-2"
    same nothing plain
    same halves whole
    same away plain
    other whole plain
    other both whole
}

other_forms_of_the_model() {
    draw_with whole --lora "$loras/style.safetensors"
    draw_with half --lora "$loras/style.safetensors" --weights f16
    same half whole 1e-4
    python3 "$tree/data/critters/train/single_file.py" "$model" single.safetensors --with-configs
    accepts "a red cat" -m single.safetensors --tokenizer "$model/tokenizer" -s 2 --seed 1 \
        --lora "$loras/style_kohya.safetensors" --trace single.trace.safetensors
    same single whole
}

blueprints() {
    model=$tree/data/models/critters
    draw_with plain
    draw_with blueprint --lora "${model}-blueprint.safetensors"
    other blueprint plain
    model=$tree/tests/golden/runs/sd1
}

the_picture_tells() {
    cp "$loras/style.safetensors" "$loras/other.safetensors" .
    draw_with told --lora style.safetensors:0.7 --lora ./other.safetensors
    grep -qa 'Lora: "style.safetensors:0.7, other.safetensors:1"' told.png || problem "the PNG doesn't tell its LoRAs"
    expect "the trace's LoRAs" "$(trace_header told.trace.safetensors | jq -r .__metadata__.loras)" \
        $'style.safetensors:0.7\n./other.safetensors:1'
    draw_with plain
    expect "the LoRAs of a run without" "$(trace_header plain.trace.safetensors | jq -r .__metadata__.loras)" null
}

colons_in_paths() {
    mkdir a:b && cp "$loras/style.safetensors" a:b/c:0.5 && cp "$loras/style.safetensors" a:b/d:e.safetensors
    cp "$loras/style.safetensors" a.safetensors:b.safetensors
    draw_with whole --lora "$loras/style.safetensors"
    draw_with named --lora a:b/d:e.safetensors
    draw_with numbered --lora a:b/c:0.5:1
    draw_with twice --lora a.safetensors:b.safetensors
    for name in named numbered twice; do same $name whole; done
}

bad_words() {
    for weight in "" x nan inf 0x1 1e99 1001 -1001 1.5x " 1" -; do
        refuses 2 "not a number" "a cat" -m "$model" --lora "style.safetensors:$weight"
    done
    refuses 2 "value is missing" "a cat" --lora
    refuses 2 "names no file" "a cat" --lora ""
    refuses 2 "names no file" "a cat" --lora :0.5
    refuses 2 "no such option" tokenize "a cat" --lora style.safetensors
    refuses 2 "more than 32 times" "a cat" $(printf -- '--lora style.safetensors %.0s' {1..33})
}

bad_files() {
    refuses 1 "can't be opened" "a cat" -m "$model" --lora nowhere.safetensors
    refuses 1 "nowhere.safetensors: can't" "a cat" -m "$model" --lora nowhere.safetensors:2
    refuses 1 "is a folder" "a cat" -m "$model" --lora "$loras"
    cp "$loras/style.safetensors" style.pt
    refuses 1 "style.pt: is a pickle" "a cat" -m "$model" --lora style.pt:0.5
    refuses 1 "another model" "a cat" -m "$tree/data/models/critters" --lora "$loras/style.safetensors"
    while read -r pattern name; do
        python3 "$forms" names no_lora.safetensors $name
        refuses 1 "${pattern//_/ }" "a cat" -m "$model" --lora no_lora.safetensors
    done <<END
LoHa lora_unet_mid_block_attentions_0_proj_in.hada_w1_a
LoKr lora_unet_mid_block_attentions_0_proj_in.lokr_w1
DoRA lora_unet_mid_block_attentions_0_proj_in.dora_scale
IA3 lora_unet_mid_block_attentions_0_proj_in.on_input
SDXL lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight
SD_3 transformer.transformer_blocks.0.attn.to_q.lora_A.weight
whole_model model.diffusion_model.out.2.weight
no_layer_of_this_model lora_unet_label_emb_0_0.alpha
END
}

cases=(weights other_forms_of_the_model blueprints the_picture_tells colons_in_paths bad_words bad_files)
run_cases
