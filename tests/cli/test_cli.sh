#!/bin/bash
# test_cli.sh - the command as people meet it: what it prints, what it writes, and what it says to nonsense

. tests/cli/cases.sh

# ---- the command line -----------------------------------------------------------------------------------------------

help_teaches() {
    accepts --help
    for option in model negative steps guidance guidance-rescale guidance-interval deep-cache prompt-weights clip-skip scheduler scheduler-config seed \
        rng width height init mask strength latents exact exact-data window vae preview-vae tokenizer weights precision lora output steps-dir trace \
        trace-attention threads kernel help version; do
        grep -q -e "--$option\b" "$work/stdout" || problem "--$option is not in --help"
    done
    cp "$work/stdout" help
    for command in tokenize kernels schedulers inspect bench lab; do
        grep -q "sculpt $command" help || problem "$command is not in --help"
        accepts $command --help
        grep -q "^sculpt $command" "$work/stdout" || problem "$command has no help of its own"
    done
    [ "$(wc -L <help)" -le 120 ] || problem "lines of --help are too long"
    accepts --version
    [[ $(cat "$work/stdout") == sculpt\ [0-9]* ]] || problem "--version prints $(cat "$work/stdout")"
}

later_options_are_unknown() {
    local help
    help=$("$sculpt" --help)
    for option in device; do
        refuses 2 "no such option" "a cat" --$option x
        ! grep -q -e "--$option\b" <<<"$help" || problem "--$option is in --help"
    done
}

bad_command_lines() {
    refuses 2 "the text is missing"
    refuses 2 "the text is missing" draw
    refuses 2 "the text is missing" tokenize
    refuses 2 "in quotes" a red cat
    refuses 2 "takes no text" kernels conv2d
    refuses 2 "did you mean --steps" "a cat" --stpes 3
    refuses 2 "did you mean --guidance" "a cat" --guidence=3
    refuses 2 "no such option" "a cat" --neg hat
    refuses 2 "no such option" "a cat" --vers
    refuses 2 "no such option" "a cat" -x
    refuses 2 "no such option" "a cat" --colour red
    refuses 2 "value is missing" "a cat" --steps
    refuses 2 "value is missing" "a cat" -g
    refuses 2 "takes no value" "a cat" --help=yes
    refuses 2 "takes no value" "a cat" --prompt-weights=1.3
    refuses 2 "no such option" tokenize "a cat" --clip-skip 1
    refuses 2 "no such option" tokenize "a cat" --steps 3
    refuses 2 "no such option" "a cat" --json
    refuses 2 "given twice" "a cat" -o a.png -o b.png
    refuses 2 "given twice" "a cat" -s 3 --steps 4
    refuses 2 ".png" "a cat" -o picture.jpg
    refuses 2 ".safetensors" "a cat" --trace trace.txt
    refuses 2 "add --trace FILE" "a cat" --trace-attention
    refuses 2 "say =heads" "a cat" --trace a.safetensors --trace-attention=means
    refuses 2 "a second text" "a cat" --trace a.safetensors --trace-attention heads
    refuses 2 "no such option" inspect model --trace-attention
    refuses 2 "leave one out" "a cat" --init a.png --latents a.safetensors
    refuses 2 "there is none" "a cat" --strength 0.5
    refuses 2 "add --steps-dir" "a cat" --preview-vae vae
    refuses 2 "add --init" "a cat" --mask a.png
    refuses 2 "given twice" "a cat" --init a.png --mask a.png --mask b.png
    refuses 2 "GPU" "a cat" --rng cuda
    refuses 2 "no such generator" "a cat" --rng mersenne
    refuses 2 "add --exact" "a cat" --exact-data 10
    refuses 2 "add --exact" "a cat" --window 3
    refuses 2 "a window has a middle" "a cat" --exact --window 4
    refuses 2 "takes no value" "a cat" --exact=1
    refuses 2 "names no folder" "a cat" --exact --exact-data ""
    for option in "--deep-cache 2" "--clip-skip 1" --prompt-weights "--lora a.safetensors" "--trace-attention --trace a.safetensors"; do
        refuses 2 "without; leave one out" "a cat" --exact $option
    done
}

bad_numbers() {
    for steps in 0 -1 +5 1.5 5x "" " 5" 0x10 1e2 99999999999999999999; do refuses 2 "whole number" "a cat" -s "$steps"; done
    for guidance in nan -nan NaN inf -inf infinity 7,5 "" x 7.5x 0x7 1e99; do refuses 2 "not a number" "a cat" -g "$guidance"; done
    for strength in -0.1 1.1 nan x; do refuses 2 "not a number" "a cat" --init a.png --strength "$strength"; done
    for seed in -1 1.5 x 18446744073709551616; do refuses 2 "whole number" "a cat" --seed "$seed"; done
    for size in 0 -8 8.0 100000; do
        refuses 2 "whole number" "a cat" -W "$size"
        refuses 2 "whole number" "a cat" -H "$size"
    done
    for rescale in -0.1 1.1 nan x ""; do refuses 2 "not a number from 0 to 1" "a cat" --guidance-rescale "$rescale"; done
    for interval in 3 "" x,y 1, ,1 -1,5 nan,5 1,inf 1,2,3; do refuses 2 "--guidance-interval" "a cat" --guidance-interval "$interval"; done
    for interval in 5,0.3 2,2 0,0; do refuses 2 "no step would be guided" "a cat" --guidance-interval "$interval"; done
    for calls in 0 -1 1.5 x ""; do refuses 2 "whole number" "a cat" --deep-cache "$calls"; done
    for layers in -1 1.5 257 x ""; do refuses 2 "whole number" "a cat" --clip-skip "$layers"; done
    for count in 0 -1 1.5 100001; do refuses 2 "whole number" "a cat" --exact --exact-data "$count"; done
    for window in 0 -3 x 257 3,-1 3,x ,1 3,; do refuses 2 "whole number" "a cat" --exact --window "$window"; done
    for threads in 0 -2 x 100000; do refuses 2 "whole number" "a cat" --threads "$threads"; done
}

options_stand_anywhere() {
    draw -o one.png "a red cat" -g 3
    draw draw --guidance=3 "a red cat" --output=two.png
    accepts -g3 -otwo2.png --seed 1 -s2 -m "$model" -- "a red cat"
    cmp -s one.png two.png && cmp -s one.png two2.png || problem "the same options in another place make another picture"
}

# ---- drawing --------------------------------------------------------------------------------------------------------

# Of the small trained model, since the drawings are of its world. Nothing is written to the cache of whoever runs this.
critters=$tree/data/models/critters
draw_exact() { XDG_CACHE_HOME=$PWD/cache accepts "$@" --exact --exact-data 12 -m "$critters" -s 6 --seed 1; }

the_training_set_draws() {
    draw_exact "" -o whole.png --trace whole.safetensors
    grep -q "12 drawings, once" "$work/stderr" || problem "nothing says that drawings are encoded"
    grep -q "the U-Net isn't asked" "$work/stderr" && grep -q "12 answers)" "$work/stderr" || problem "the cost is another's"
    [ -f cache/sculpt/exact-12.safetensors ] || problem "the latents aren't kept"
    draw_exact "" -o again.png
    ! grep -q "once" "$work/stderr" || problem "what is kept isn't used"
    cmp -s whole.png again.png || problem "encoded or kept, it is another picture"
    head -c 2000 cache/sculpt/exact-12.safetensors >damaged && mv damaged cache/sculpt/exact-12.safetensors
    draw_exact "" -o repaired.png
    cmp -s whole.png repaired.png || problem "a damaged cache makes another picture"
    trace_header whole.safetensors >object
    says '.__metadata__.exact' '"12"'
    draw_exact "" -o window.png --window 5,1 --trace window.safetensors
    ! cmp -s whole.png window.png || problem "a window changes nothing"
    trace_header window.safetensors >object
    says '.__metadata__.window' '"5,1"'
    grep -qa "Exact: 12" window.png || problem "the PNG doesn't say that no network drew it"
    mkdir folder && cp cache/sculpt/exact-12.safetensors folder/latents.safetensors
    accepts "" --exact --exact-data folder -m "$critters" -s 6 --seed 1 -o folder.png --trace folder.safetensors
    [ "$(trace_pixels whole.safetensors | md5sum)" = "$(trace_pixels folder.safetensors | md5sum)" ] || problem "the same latents from a folder make another picture"
    refuses 1 "means all of them" "a cat" --exact --exact-data folder -m "$critters"
    refuses 1 "latents.safetensors" "" --exact --exact-data nowhere -m "$critters"
    export XDG_CACHE_HOME=$PWD/cache
    refuses 1 "none of 12 drawings" "a pygmy hippo wearing sunglasses on the beach" --exact --exact-data 12 -m "$critters"
    refuses 1 "giraffe" "a giraffe" --exact --exact-data 12 -m "$critters"
    unset XDG_CACHE_HOME
}

same_seed_same_bytes() {
    draw "a red cat" -o one.png
    draw "a red cat" -o two.png
    accepts "a red cat" -m "$model" -s 2 --seed 2 -o other.png
    cmp -s one.png two.png || problem "seed 1 twice makes two pictures"
    ! cmp -s one.png other.png || problem "seeds 1 and 2 make one picture"
    accepts "a red cat" -m "$model" -s 1 -o random.png
    local seed
    seed=$(grep -o 'seed [0-9]*' "$work/stderr" | head -n 1)
    [ -n "$seed" ] || problem "a random seed isn't printed"
    accepts "a red cat" -m "$model" -s 1 -o again.png --seed "${seed#seed }"
    cmp -s random.png again.png || problem "the printed seed doesn't make the picture again"
}

prompts_of_all_kinds() {
    draw "" -o empty.png
    draw draw kernels -o kernels.png
    draw "ein Frosch 🐸 mit Hut" -n "🎩" -o unicode.png
    draw "a cat" -n "a hat" -g 1 -o unheard.png
    grep -q "the negative prompt changes nothing" "$work/stderr" || problem "a negative prompt was ignored silently"
    draw "$(printf 'hippo %.0s' {1..10000})" -o long.png
    grep -q "the model never sees" "$work/stderr" || problem "a prompt of 10,000 words was cut silently"
    [ "$(wc -L <"$work/stderr")" -le 500 ] || problem "the lost words fill the screen"
    local word lost
    word=$(printf '€🐸%.0s' {1..200})
    lost=$("$sculpt" tokenize "$word" -m "$model" --json | jq '.lost | length')
    draw "$word" -o word.png
    iconv -f UTF-8 "$work/stderr" >/dev/null || problem "a lost word is cut inside a character"
    grep -q "($lost characters in all)" "$work/stderr" || problem "it isn't said that $lost characters were lost"
    refuses 1 "UTF-8" $'a \xff cat' -m "$model"
}

a_pipe_gets_no_bar() {
    draw "a red cat"
    [ ! -s "$work/stdout" ] || problem "draw prints on stdout"
    ! grep -q $'\r\|\033' "$work/stderr" || problem "a progress bar in a pipe"
    grep -q "parameters" "$work/stderr" && grep -q "FLOP" "$work/stderr" || problem "the cost isn't stated before the run"
    grep -q "peak memory" "$work/stderr" || problem "the cost isn't stated after the run"
    [ -s sculpt.png ] || problem "no sculpt.png"
}

a_terminal_gets_a_bar() {
    script -qec "'$sculpt' 'a red cat' -m '$model' -s 3 --seed 1" /dev/null >screen </dev/null || problem "failed on a terminal"
    grep -q 'step 3/3' screen && grep -q 's/step' screen && grep -q 'left' screen || problem "no progress bar"
}

pictures_tell_their_settings() {
    draw "a red cat" -n "a hat" -g 3 --scheduler euler --scheduler-config timestep_spacing=trailing -o settings.png
    for text in "a red cat" "a hat" "timestep_spacing=trailing" "Steps: 2, Sampler: euler, CFG scale: 3, Seed: 1, Size: "; do
        grep -qa "$text" settings.png || problem "\"$text\" isn't in the PNG"
    done
}

traces_tell_their_settings() {
    draw "a red cat" -o first.png
    draw "a blue dog" --init first.png --kernel conv2d=naive -o second.png --trace init.safetensors
    trace_header init.safetensors | jq .__metadata__ >metadata
    for text in first.png conv2d=naive "Sculpt $("$sculpt" --version | cut -d ' ' -f 2)" "Steps: 2, Sampler: "; do
        grep -q -e "$text" metadata || problem "\"$text\" isn't in the trace: $(cat metadata)"
        grep -qa -e "$text" second.png || problem "\"$text\" isn't in the PNG"
    done
    latents_file latents F32 [4,8,8] 1024 >given.safetensors
    draw "a red cat" --latents given.safetensors --trace latents.safetensors
    expect "the trace's latents" "$(trace_header latents.safetensors | jq -r .__metadata__.latents)" given.safetensors
}

names_that_are_not_utf8() {
    local odd=$'m\xff\xc3del'
    cp -r "$model" "$odd" || return
    draw "a red cat" -o "$odd.png"
    accepts "a red cat" -m "$odd" -s 2 --seed 1 --init "$odd.png" --trace odd.safetensors -o picture.png
    expect "the trace's model" "$(trace_header odd.safetensors | jq -r .__metadata__.model)" 'm\xff\xc3del'
    expect "the trace's init" "$(trace_header odd.safetensors | jq -r .__metadata__.init)" 'm\xff\xc3del.png'
    grep -qaF 'Model: m\xff\xc3del' picture.png || problem "the PNG doesn't tell its model"
    LC_ALL=C grep -qaF "$odd" picture.png && problem "the PNG holds what isn't UTF-8"
}

steps_and_traces() {
    draw "a red cat" -o plain.png
    accepts "a red cat" -m "$model" -s 5 --seed 1 --steps-dir steps --trace trace.safetensors -o traced.png
    grep -q " and 11 decodes of .*FLOP in all" "$work/stderr" || problem "the cost of 5 steps, 5 noisy pictures and the last"
    grep -q ", 11 decodes .* s; peak memory" "$work/stderr" || problem "decodes aren't counted after the run"
    expect "pictures of 5 steps" "$(cd steps && echo *)" "step-000.png step-001.png step-002.png step-003.png step-004.png strip.png"
    accepts "a red cat" -m "$model" -s 5 --seed 1 -o alone.png
    cmp -s traced.png alone.png || problem "watching a run changes its picture"
    local header
    header=$(trace_header trace.safetensors)
    for name in input_ids text_embeddings timesteps latents.0 latents.5 noise_pred_uncond.0 noise_pred_text.4 noise_pred.4 \
        pred_original_sample.4 image; do
        jq -e --arg name "$name" 'has($name)' <<<"$header" >/dev/null || problem "no $name in the trace"
    done
    draw "a red cat" --steps-dir steps -o shorter.png
    expect "pictures of 2 steps after 5" "$(cd steps && echo *)" "step-000.png step-001.png strip.png"
    (trap '' XFSZ && ulimit -f 1 && exec "$sculpt" "a red cat" -m "$model" --steps-dir steps 2>/dev/null)
    expect "pictures of a run that fails at its first step" "$(ls -A steps)" ""
    expect "the trace's prompt" "$(jq -r '.__metadata__.prompt' <<<"$header")" "a red cat"
    accepts "a red cat" -m "$model" -s 2 --seed 1 -g 1 --trace alone.safetensors
    header=$(trace_header alone.safetensors)
    expect "rows without guidance" "$(jq -c '.input_ids.shape[0]' <<<"$header")" 1
    ! grep -q noise_pred_uncond <<<"$header" || problem "two halves of the noise without guidance"
}

attention_is_traced() {
    accepts "a red cat" -m "$model" -s 2 --seed 1 --trace plain.safetensors -o plain.png
    accepts "a red cat" -m "$model" -s 2 --seed 1 --trace mean.safetensors --trace-attention -o mean.png
    accepts "a red cat" -m "$model" -s 2 --seed 1 --trace-attention=heads -W 20 -H 12 --trace heads.safetensors
    cmp -s plain.png mean.png || problem "watching attention changes the picture"
    trace_header plain.safetensors >object
    says '[keys[] | select(contains("attention"))]' '[]'
    trace_header mean.safetensors >object
    says '."attention.0.down_blocks.0.attentions.0".shape' '[77,8,8]'
    says '."attention.1.mid_block.attentions.0".shape' '[77,4,4]'
    says '."text_attention.layers.1".shape' '[2,77,77]'
    says '[keys[] | select(startswith("attention.1."))] | length' 4
    says '[keys[] | select(contains("attention"))] | length' 10
    trace_header heads.safetensors >object
    says '."attention.0.down_blocks.0.attentions.0".shape' '[2,77,3,5]'
    says '."attention.1.mid_block.attentions.0".shape' '[2,77,2,3]'
}

image_to_image() {
    draw "a red cat" -o first.png
    draw "a blue dog" --init first.png --strength 0.5 -o second.png
    ! cmp -s first.png second.png || problem "nothing was painted over"
    grep -qa "first.png" second.png || problem "the picture doesn't tell what it was painted over"
    mkfifo pipe
    refuses 1 "no regular file" "a cat" -m "$model" --init pipe
    refuses 1 "can't be opened" "a cat" -m "$model" --init nowhere.png
    refuses 1 "first.txt" "a cat" -m "$model" --init "$(echo "not a PNG" >first.txt && echo first.txt)"
    head -c 200 first.png >cut.png
    refuses 1 "cut.png" "a cat" -m "$model" --init cut.png
    refuses 1 "first.png" "a cat" -m "$model" --init first.png/x
    refuses 1 "strength" "a cat" -m "$model" --init first.png --strength 0
}

another_vae() {
    local tiny=$stages/vae_tiny
    draw "a red cat" -o own.png
    draw "a red cat" --vae "$tiny" -o tiny.png --trace tiny.safetensors
    ! cmp -s own.png tiny.png || problem "another VAE makes the same picture"
    grep -qa "golden/stages/vae_tiny" tiny.png || problem "the PNG doesn't tell its VAE"
    expect "the trace's vae" "$(trace_header tiny.safetensors | jq -r .__metadata__.vae)" "$tiny"
    cp -r "$model" folder && rm -r folder/vae && cp -r "$tiny" folder/vae
    accepts "a red cat" -m folder -s 2 --seed 1 --trace folder.safetensors
    same_picture tiny.safetensors folder.safetensors
    draw "a blue dog" --init own.png --strength 0.5 --vae "$tiny"
    refuses 1 "nowhere/config.json" "a cat" -m "$model" --vae nowhere
    refuses 1 "8 pixels wide" "a cat" -m "$model" --vae "$stages/vae_sd1"
    refuses 1 "latents of 8" "a cat" -m "$model" --vae "$stages/vae_three_levels"
    refuses 1 "UNet2DConditionModel" "a cat" -m "$model" --vae "$model/unet"
}

previews() {
    local tiny=$stages/vae_tiny
    draw "a red cat" --steps-dir own -o own.png
    draw "a red cat" --steps-dir tiny --preview-vae "$tiny" -o watched.png
    grep -q " and 1 decode of .* and 4 previews of .*FLOP in all" "$work/stderr" || problem "the cost of 4 previews"
    grep -q ", 1 decode .* s, 4 previews .* s; peak memory" "$work/stderr" || problem "previews aren't counted after the run"
    cmp -s own.png watched.png || problem "watching a run changes its picture"
    expect "pictures" "$(cd tiny && echo *)" "step-000.png step-001.png strip.png"
    ! cmp -s own/step-001.png tiny/step-001.png || problem "the preview VAE decodes what the model's own does"
    expect "a preview's size" "$(od -An -t x1 -j 16 -N 8 tiny/step-001.png)" "$(od -An -t x1 -j 16 -N 8 own.png)"
    refuses 1 "nowhere/config.json" "a cat" -m "$model" --steps-dir steps --preview-vae nowhere
    refuses 1 "8 pixels wide" "a cat" -m "$model" --steps-dir steps --preview-vae "$stages/vae_sd1"
}

# An LCM: its U-Net was taught to guide, and its pipeline and scheduler have names of their own.
an_lcm() {
    cp -r "$model" lcm && rm -r lcm/unet && cp -r "$stages/unet_lcm" lcm/unet
    sed -i s/StableDiffusionPipeline/LatentConsistencyModelPipeline/ lcm/model_index.json
    cp "$stages"/../families/lcm/scheduler_config.json lcm/scheduler/
    accepts "a red cat" -m lcm --seed 1 -o plain.png
    grep -q "lcm, guidance 8.5, seed 1" "$work/stderr" || problem "an LCM's defaults: $(head -n 1 "$work/stderr")"
    grep -q "^4 steps of .*(4 U-Net calls)" "$work/stderr" || problem "4 steps, one call each: $(grep steps "$work/stderr")"
    accepts "a red cat" -m lcm --seed 1 -n "a hat" -o negative.png
    grep -q "taught to guide by itself; there is no second pass, so the negative prompt changes nothing" "$work/stderr" ||
        problem "a negative prompt was ignored silently"
    accepts "a red cat" -m lcm --seed 1 --guidance-rescale 0.5
    grep -q "by itself; there is no second pass, so guidance-rescale changes nothing" "$work/stderr" ||
        problem "rescaling was ignored silently"
    accepts "a red cat" -m lcm --seed 1 -g 8.5 -s 4 --scheduler lcm -o asked.png
    cmp -s plain.png asked.png || problem "an LCM's defaults, asked for, make another picture"
    accepts "a red cat" -m lcm --seed 1 -g 2 -o weak.png
    ! cmp -s plain.png weak.png || problem "an LCM's guidance changes nothing"
    sed -i s/LatentConsistencyModelPipeline/StableDiffusionXLPipeline/ lcm/model_index.json
    refuses 1 "StableDiffusionXLPipeline" "a cat" -m lcm
}

# PNGs of one pixel
black_png="iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
white_png="iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="

inpainting() {
    base64 -d <<<$black_png >black.png
    base64 -d <<<$white_png >white.png
    draw "a red cat" -o first.png
    cp first.png where.png
    draw "a blue dog" --init first.png --mask where.png -o second.png --trace second.safetensors --steps-dir steps
    grep -q "^strength 1: " "$work/stderr" && grep -q "^mask: .*put back after every step" "$work/stderr" ||
        problem "it isn't said what a mask means: $(cat "$work/stderr")"
    expect "the trace's mask" "$(trace_header second.safetensors | jq -r .__metadata__.mask)" where.png
    grep -qa "where.png" second.png || problem "the picture doesn't tell its mask"
    expect "the trace's strength" "$(trace_header second.safetensors | jq -r .__metadata__.strength)" 1
    draw "a blue dog" --init first.png --mask black.png --trace kept.safetensors
    draw "a crown" --init first.png --mask black.png --strength 0.6 --scheduler euler --trace kept2.safetensors
    cmp -s <(trace_pixels kept.safetensors) <(trace_pixels kept2.safetensors) ||
        problem "a prompt changes what a black mask keeps"
    draw "a blue dog" --init first.png --mask white.png --trace painted.safetensors -o painted.png
    draw "a blue dog" --init first.png --mask white.png --strength 1 -o painted2.png
    cmp -s painted.png painted2.png || problem "a mask without --strength isn't strength 1"
    ! cmp -s <(trace_pixels kept.safetensors) <(trace_pixels painted.safetensors) ||
        problem "black and white masks are the same"

    cp -r "$model" nine && rm -r nine/unet && cp -r "$stages/unet_inpaint" nine/unet
    sed -i s/StableDiffusionPipeline/StableDiffusionInpaintPipeline/ nine/model_index.json
    accepts "a cat" -m nine -s 2 --seed 1 --init first.png --mask first.png -o seen.png
    grep -q "^mask: the U-Net sees it" "$work/stderr" || problem "the U-Net isn't said to see the mask"
    refuses 1 "9 channels" "a cat" -m nine
    refuses 1 "9 channels" "a cat" -m nine --init first.png
    refuses 1 "can't be opened" "a cat" -m "$model" --init first.png --mask nowhere.png
    refuses 1 "text.png" "a cat" -m "$model" --init first.png --mask "$(echo "not a PNG" >text.png && echo text.png)"
    refuses 1 "less than one step" "a cat" -m "$model" -s 2 --init first.png --mask black.png --strength 0.4
}

# latents_file NAME DTYPE SHAPE BYTES: a safetensors file of one tensor, all zero
latents_file() {
    local header="{\"$1\":{\"dtype\":\"$2\",\"shape\":$3,\"data_offsets\":[0,$4]}}"
    printf "\\x$(printf %x ${#header})\0\0\0\0\0\0\0%s" "$header" && head -c "$4" /dev/zero
}

given_latents() {
    latents_file latents F32 [1,4,12,18] 3456 >good.safetensors
    draw "a red cat" --latents good.safetensors -o one.png
    expect "the latents' size" "$(od -An -t x1 -j 16 -N 8 one.png | tr -d ' ')" 0000004800000030
    draw "a red cat" --latents good.safetensors -o two.png -W 72 -H 48
    cmp -s one.png two.png || problem "the latents' own size, asked for, makes another picture"
    refuses 1 "72 x 48" "a cat" -m "$model" --latents good.safetensors -W 64
    refuses 1 "can't be opened" "a cat" -m "$model" --latents nowhere.safetensors
    latents_file noise F32 [4,8,8] 1024 >name.safetensors
    latents_file latents F32 [4,8] 128 >axes.safetensors
    latents_file latents F32 [2,4,8,8] 2048 >two.safetensors
    latents_file latents F32 [3,8,8] 768 >channels.safetensors
    latents_file latents F32 [4,0,8] 0 >empty.safetensors
    latents_file latents I64 [4,8,8] 2048 >whole.safetensors
    head -c 600 good.safetensors >cut.safetensors
    { latents_file latents F32 [4,8,8] 1024 | head -c -1024 && head -c 1024 /dev/zero | tr '\0' '\377'; } >nan.safetensors
    refuses 1 "finite" "a cat" -m "$model" --latents nan.safetensors
    for file in name axes two channels empty whole cut nan; do
        refuses 1 "$file.safetensors" "a cat" -m "$model" --latents $file.safetensors
    done
}

# same_picture TRACE TRACE: that differ by at most a mean square of 1e-6, which is a PSNR of 60 dB
same_picture() {
    paste <(trace_pixels "$1") <(trace_pixels "$2") |
        awk '{ sum += ($1 - $2) ^ 2 } END { exit !(NF == 2 && NR > 0 && sum / NR <= 1e-6) }' ||
        problem "$1 and $2 hold different pictures"
}

kernels_and_schedulers() {
    draw "a red cat" --trace fastest.safetensors
    draw "a red cat" --kernel conv2d=naive --kernel attention=naive --trace naive.safetensors
    same_picture fastest.safetensors naive.safetensors
    refuses 2 "conv3d" "a cat" -m "$model" --kernel conv3d=naive
    refuses 2 "quick" "a cat" -m "$model" --kernel conv2d=quick
    refuses 2 "conv2d" "a cat" -m "$model" --kernel conv2d
    refuses 2 "" "a cat" -m "$model" --kernel =
    draw "a red cat" --scheduler euler --scheduler-config timestep_spacing=trailing
    refuses 2 "timestep_spacing" "a cat" -m "$model" --scheduler-config timestep_spacing=sideways
    refuses 2 "colour" "a cat" -m "$model" --scheduler-config colour=red
    for setting in eta=nan eta=2 eta=-1 num_train_timesteps=0 beta_start=0 clip_sample_range=0; do
        refuses 2 "${setting%=*}" "a cat" -m "$model" --scheduler-config $setting
    done
    refuses 2 "eta" "a cat" -m "$model" --scheduler euler --scheduler-config eta=0.5
    refuses 2 "lcm has none" "a cat" -m "$model" --scheduler lcm --scheduler-config timestep_spacing=trailing
    for scheduler in ddpm euler_a dpmpp_2m dpmpp_2m_sde dpmpp_1s heun kdpm2 lms pndm unipc lcm; do
        draw "a red cat" --scheduler $scheduler
    done
    draw "a red cat" --scheduler-config eta=0.5
    refuses 1 "steps" "a cat" -m "$model" -s 1001
    accepts kernels
    grep -q 'conv2d' "$work/stdout" && grep -q '\* ' "$work/stdout" && grep -q naive "$work/stdout" || problem "sculpt kernels"
    accepts schedulers -m "$model"
    grep -q '^\* ' "$work/stdout" && grep -q euler "$work/stdout" || problem "sculpt schedulers"
    "$sculpt" schedulers -m nowhere >list 2>said
    expect "status of schedulers with no such model" $? 1
    grep -q euler list && grep -q "^sculpt: nowhere/" said || problem "schedulers -m nowhere: $(cat said)"
}

sizes() {
    draw "a red cat" -W 72 -H 48 -o odd.png
    expect "width and height" "$(od -An -t x1 -j 16 -N 8 odd.png | tr -d ' ')" 0000004800000030
    refuses 1 "101" "a cat" -m "$model" -W 101
    refuses 1 "61" "a cat" -m "$model" -H 61
}

# ---- what words count for -------------------------------------------------------------------------------------------

prompt_weights() {
    draw "a red cat" -o plain.png
    draw "a red cat" --prompt-weights -o unused.png
    draw "a (red:1.3) cat" -o text.png
    draw "a (red:1.3) cat" -n "(hat)" --prompt-weights -o weighted.png
    draw "a (red:1.3) cat" -n "[hat]" --prompt-weights -o negative.png
    ! cmp -s text.png weighted.png || problem "weights change nothing"
    ! cmp -s negative.png weighted.png || problem "weights of the negative prompt change nothing"
    grep -qa "Emphasis: None" text.png || problem "the PNG doesn't tell the web UIs that brackets are text"
    ! grep -qa "Emphasis: None" weighted.png && grep -qa "prompt_weights" weighted.png || problem "the PNG doesn't tell that brackets are weights"
    draw "(:1.2)" --prompt-weights
    draw "((((a [unbalanced) one" --prompt-weights
    draw "$(printf '(hippo:1.1) %.0s' {1..1000})" --prompt-weights -o long.png
    grep -q 'the model never sees "[hipo ]*\.\.\.' "$work/stderr" || problem "a long prompt with weights was cut silently"
    refuses 1 "no number" "a (cat:1.2.3)" -m "$model" --prompt-weights
    refuses 1 "weighs 1e+09" "a cat" -n "(hat:1000000000)" -m "$model" --prompt-weights
    refuses 1 "brackets are open" "$(printf '(%.0s' {1..101})" -m "$model" --prompt-weights
    refuses 1 "UTF-8 at byte 3" $'a (\xff:1.2) cat' -m "$model" --prompt-weights
}

clip_skip() {
    draw "a red cat" -o all.png
    draw "a red cat" --clip-skip 0 -o none.png
    draw "a red cat" --clip-skip 2 -o two.png
    cmp -s all.png none.png || problem "leaving out no layer changes the picture"
    ! cmp -s all.png two.png || problem "leaving out all layers changes nothing"
    grep -qa "clip_skip" two.png && grep -qa "Clip skip: 3, " two.png || problem "the PNG doesn't tell how many were left out"
    refuses 1 "3 layers to leave out, and this text encoder has 2" "a cat" -m "$model" --clip-skip 3
}

guidance_rescale() {
    draw "a red cat" -g 9 -o plain.png
    draw "a red cat" -g 9 --guidance-rescale 0.7 -o rescaled.png
    ! cmp -s plain.png rescaled.png || problem "rescaling changes nothing"
    grep -qa "guidance_rescale" rescaled.png || problem "the PNG doesn't tell of the rescaling"
    ! grep -q "changes nothing" "$work/stderr" || problem "it is said to change nothing"
    draw "a red cat" -g 1 --guidance-rescale 0.7
    grep -q "no second pass, so guidance-rescale changes nothing" "$work/stderr" || problem "it was ignored silently"
}

deep_cache() {
    accepts "a red cat" -m "$model" -s 6 --seed 1 -o whole.png
    accepts "a red cat" -m "$model" -s 6 --seed 1 --deep-cache 1 -o one.png
    cmp -s whole.png one.png || problem "every call a whole one makes another picture"
    accepts "a red cat" -m "$model" -s 6 --seed 1 --deep-cache 3 -o cached.png --trace cached.safetensors
    ! cmp -s whole.png cached.png || problem "deep features taken over make no difference"
    grep -q "deep-cache 3: 4 of 6 steps take deep features over" "$work/stderr" || problem "which steps is not said"
    grep -q "FLOP together, [1-9][0-9]% of what" "$work/stderr" || problem "what it saves is not said"
    grep -qa "deep_cache" cached.png || problem "the PNG doesn't tell of it"
    expect "the trace's deep_cache" "$(trace_header cached.safetensors | jq -r .__metadata__.deep_cache)" 3
}

guidance_interval() {
    draw "a red cat" --trace plain.safetensors
    draw "a red cat" --guidance-interval 0,1e5 --trace everywhere.safetensors
    cmp -s <(trace_pixels plain.safetensors) <(trace_pixels everywhere.safetensors) || problem "guided everywhere, it is another picture"
    accepts "a red cat" -m "$model" -s 6 --seed 1 --guidance-interval 0.3,5 -o some.png --trace some.safetensors
    grep -q "guidance-interval 0.3,5: 4 of 6 steps are guided; sigma falls from" "$work/stderr" || problem "which steps is not said"
    expect "guided steps" "$(trace_header some.safetensors | jq -c '[keys[] | select(startswith("noise_pred_uncond"))]')" \
        '["noise_pred_uncond.1","noise_pred_uncond.2","noise_pred_uncond.3","noise_pred_uncond.4"]'
    expect "the trace's interval" "$(trace_header some.safetensors | jq -r .__metadata__.guidance_interval)" 0.3,5
    grep -qa "guidance_interval" some.png || problem "the PNG doesn't tell of it"
    draw "a red cat" -g 1 --guidance-interval 0.3,5
    grep -q "no second pass, so guidance-interval changes nothing" "$work/stderr" || problem "it was ignored silently"
}

# ---- broken models --------------------------------------------------------------------------------------------------

broken_models() {
    refuses 1 "nowhere" "a cat" -m nowhere
    refuses 1 "is a file" "a cat" -m "$model/model_index.json"
    refuses 1 "empty" "a cat" -m "$(mkdir -p empty && echo empty)"
    for part in unet vae text_encoder tokenizer scheduler; do
        cp -r "$model" broken && rm -r broken/$part
        refuses 1 "broken/$part" "a cat" -m broken
        rm -r broken
    done
    for config in unet/config.json vae/config.json text_encoder/config.json scheduler/scheduler_config.json; do
        cp -r "$model" broken && echo '{"sample_size": [1, ' >broken/$config
        refuses 1 "$config" "a cat" -m broken
        rm -r broken
    done
    for weights in unet/diffusion_pytorch_model vae/diffusion_pytorch_model text_encoder/model; do
        for length in 0 7 100 1000 -1; do
            cp -r "$model" broken && truncate -s $length broken/$weights.safetensors 2>/dev/null
            [ $length = -1 ] && cp "$model"/$weights.safetensors broken/$weights.safetensors &&
                truncate -s -$((-length)) broken/$weights.safetensors
            refuses 1 "$weights" "a cat" -m broken
            rm -r broken
        done
    done
}

# ---- where it is written --------------------------------------------------------------------------------------------

bad_outputs() {
    refuses 1 "nowhere" "a cat" -m "$model" -o nowhere/a.png
    refuses 1 "folder" "a cat" -m "$model" -o "$(mkdir -p folder.png && echo folder.png)"
    refuses 1 "nowhere" "a cat" -m "$model" --trace nowhere/a.safetensors
    refuses 1 "nowhere" "a cat" -m "$model" --steps-dir nowhere/steps
    refuses 1 "file: is no folder" "a cat" -m "$model" --steps-dir "$(echo x >file && echo file)"
}

# The shell's limit on a file's size stands for a full disk: a write fails in the middle.
a_full_disk() {
    echo "the picture before" >sculpt.png
    (
        trap '' XFSZ
        ulimit -f 1
        exec "$sculpt" "a red cat" -m "$model" -s 2 --seed 1 2>&1
    ) | cat >said
    expect "status with a full disk" "${PIPESTATUS[0]}" 1
    [[ $(tail -n 1 said) == sculpt:\ *sculpt.png*\;* ]] || problem "a full disk: $(tail -n 1 said)"
    expect "the old picture" "$(cat sculpt.png)" "the picture before"
    expect "what is left" "$(echo *)" "said sculpt.png"
    (
        trap '' XFSZ
        ulimit -f 4
        exec "$sculpt" "a red cat" -m "$model" -s 2 --seed 1 --trace trace.safetensors 2>&1
    ) | cat >said
    expect "status with a disk too full for a trace" "${PIPESTATUS[0]}" 1
    [[ $(tail -n 1 said) == sculpt:\ *trace.safetensors*\;* ]] || problem "a full disk: $(tail -n 1 said)"
    expect "what is left" "$(echo *)" "said sculpt.png"
    if [ -w /dev/full ]; then
        "$sculpt" --help >/dev/full 2>said
        expect "status with nowhere to print" $? 1
    fi
}

# interrupts PATTERN ARGUMENT...: a run that would take minutes on any machine gets a signal once it has said PATTERN, and
# ends within an op, in one line that goes to $said. Kernels are naive, so that an op takes long, too.
interrupts() {
    local pattern=$1 process
    shift
    : >said
    timeout 300 "$sculpt" "$@" -m "$model" --seed 1 --kernel conv2d=naive --kernel attention=naive 2>said &
    process=$!
    for _ in {1..1000}; do grep -q "$pattern" said && break || sleep 0.05; done
    kill -TERM $process
    wait $process
    expect "status" $? 1
    said=$(tail -n 1 said)
    [[ $said == "sculpt: interrupted: "*\;* ]] || problem "a stopped run says: $said"
}

a_signal_stops_it() {
    local said
    interrupts "never sees" "$(printf 'hippo %.0s' {1..100})" -s 900 -W 256 -H 256
    [[ $said == *"stopped after step "[0-9]*" of 900"* ]] || problem "how far it came: $said"
    expect "what is left" "$(echo *)" "said"
    draw "a red cat" -o first.png
    interrupts "FLOP in all" "a red cat" --init first.png -W 1024 -H 1024 -o second.png
    [[ $said == *"before the first step"* ]] || problem "a run that hadn't begun says: $said"
    expect "what is left" "$(echo *)" "first.png said"
}

# ---- tokenize -------------------------------------------------------------------------------------------------------

tokenize() {
    accepts tokenize "a red cat" -m "$model"
    grep -q "</w>" "$work/stdout" || problem "no pieces"
    accepts tokenize "a red cat" -m "$model" --json
    expect "lines" "$(wc -l <"$work/stdout")" 1
    expect "keys" "$(jq -r 'keys | join(" ")' "$work/stdout")" "ids lost pieces"
    expect "a piece for every id" "$(jq '(.ids | length) == (.pieces | length)' "$work/stdout")" true
    expect "nothing lost" "$(jq -r .lost "$work/stdout")" ""
    accepts tokenize "$(printf 'hippo %.0s' {1..100}) the end" --json -m "$model"
    [[ $(jq -r .lost "$work/stdout") == *"the end" ]] || problem "what was lost: $(jq -r .lost "$work/stdout")"

    printf 'a cat\n\n  \nein Frosch 🐸\n"quoted" \\ back' | "$sculpt" tokenize - --json -m "$model" >lines || problem "lines"
    expect "a line for a line, blank ones too" "$(jq -c '.ids | length' lines | wc -l)" 5
    expect "an empty line is an empty prompt" "$(sed -n 2p lines)" "$("$sculpt" tokenize "" --json -m "$model")"
    printf 'a cat\nbad \xff\n' | "$sculpt" tokenize - --json -m "$model" >lines 2>said
    expect "status for a line that isn't UTF-8" $? 1
    grep -q "line 2" said || problem "which line is bad: $(cat said)"
    printf 'a\0cat\n' | "$sculpt" tokenize - -m "$model" >lines 2>said
    expect "status for a zero byte" $? 1

    accepts tokenize "a (cat:1.3), \\(at\\) [night]" --prompt-weights -m "$model"
    expect "weights beside the pieces" "$(awk '$3 != 1 && /^ / { print $3 $4 }' "$work/stdout" | tr '\n' ' ')" "1.3cat</w> 0.9091night</w> "
    accepts tokenize "a (cat:1.3)" --prompt-weights --json -m "$model"
    expect "weights as JSON" "$(jq '.weights[:4] == [1, 1, 1.3, 1] and (.weights | length) == 77' "$work/stdout")" true
    accepts tokenize "" --prompt-weights --json -m "$model"
    expect "weights of nothing" "$(jq '.weights | add' "$work/stdout")" 77
    refuses 1 "no number" tokenize "(cat:1.2.3)" --prompt-weights -m "$model"

    mkdir -p alone && cp -r "$model"/tokenizer alone/
    accepts tokenize "a red cat" -m alone
    refuses 1 "tokenizer" tokenize "a red cat" -m nowhere
    refuses 1 "UTF-8" tokenize $'\xc3(' -m "$model"
}

cases=(help_teaches later_options_are_unknown bad_command_lines bad_numbers options_stand_anywhere same_seed_same_bytes
    the_training_set_draws
    prompts_of_all_kinds a_pipe_gets_no_bar a_terminal_gets_a_bar pictures_tell_their_settings
    traces_tell_their_settings names_that_are_not_utf8 steps_and_traces attention_is_traced image_to_image inpainting
    another_vae previews an_lcm given_latents kernels_and_schedulers sizes prompt_weights clip_skip guidance_rescale
    deep_cache guidance_interval broken_models bad_outputs a_full_disk a_signal_stops_it tokenize)
run_cases
