#!/bin/bash
# test_bench.sh - `sculpt bench`: does it measure what was asked for, and do its numbers add up?

. tests/cli/cases.sh

# benches PART ARGUMENT...: the object goes to the file `object`
benches() {
    accepts bench --json "$@"
    expect "lines of bench $*" "$(wc -l <"$work/stdout")" 1
    cp "$work/stdout" object
}

# adds_up REPS: the ops are those of the plan, and take no longer than the pass
adds_up() {
    says '.reps | length' "$1"
    holds '.seconds > 0 and .seconds == (.reps | min) and .seconds_median >= .seconds and .seconds_median <= (.reps | max)'
    for sum in calls flops bytes; do
        holds "([.ops[].$sum] | add) == .planned.$sum and .planned.$sum > 0"
    done
    holds '([.ops[].ms] | add) / 1000 / .ops_seconds - 1 | fabs < 1e-6'
    holds '.ops_seconds < .seconds and .ops_seconds > 0'
    holds '(.seconds - .ops_seconds) / .planned.calls / .overhead_seconds_a_call - 1 | fabs < 1e-4'
    holds '.gemm_gflops_a_second > 0'
    holds '[.ops[] | select(.flops > 0) | .percent_of_gemm * .ms / .flops] | (max / min - 1 | fabs) < 1e-4'
    holds '[.ops[] | .flops / .ms / 1e6 - .gflops_a_second | fabs] | max < 1e-3'
    holds '[.ops[].ms] | . == (sort | reverse)'
    holds '.memory | .weight_bytes > 0 and .activation_bytes > 0 and .resident_bytes > .activation_bytes'
}

every_part() {
    benches unet -m "$model" --reps 3
    adds_up 3
    benches vae -m "$model" --reps 2 --latent 8x6
    adds_up 2
    holds '[.ops[] | select(.op == "conv2d") | .shape] | any(startswith("1x4x8x6 * "))'
    benches text -m "$model" --reps 1 --batch 3
    adds_up 1
    holds '.ops[] | select(.op == "embedding") | .calls == 1 and (.shape | startswith("3x77 * "))'
    benches run -m "$model" --reps 2 -s 3 --latent 8x6
    adds_up 2
    holds '[.ops[] | select(.op == "timestep_embedding") | .calls] == [3]'
    holds '[.ops[] | select(.op == "conv2d") | .shape] | any(startswith("2x4x8x6 * "))'
}

# What `inspect` plans for a step, guided, is what the U-Net does with two pictures.
the_plan_is_inspects() {
    accepts inspect "$model" --json
    local step
    step=$(jq '.pictures[0].flops.step' "$work/stdout")
    benches unet -m "$model" --batch 2 --reps 1
    says .planned.flops "$step"
    expect "inspect's FLOP of a step" "$((step > 0))" 1
}

kernels_threads_and_weights() {
    benches unet -m "$model" --reps 1 --kernel conv2d=naive --kernel linear=openmp --threads 1
    says '[.ops[] | select(.op == "conv2d") | .variant] | unique' '["naive"]'
    says '[.ops[] | select(.op == "linear") | .variant] | unique' '["openmp"]'
    says .threads 1
    whole=$(jq .memory.weight_bytes object)
    benches unet -m "$model" --reps 1 --weights f16
    jq -e ".memory.weight_bytes < 0.65 * $whole" object >/dev/null || problem "half precision takes $(jq .memory.weight_bytes object)"
}

a_network_alone_is_enough() {
    mkdir alone
    for part in unet vae text_encoder; do
        rm -rf alone/* && cp -r "$model/$part" alone/
        benches ${part/_encoder/} -m alone --reps 1
        adds_up 1
        holds '.subject | contains("of alone")'
    done
    refuses 1 "alone/unet" bench unet -m alone
    refuses 1 "alone/model_index.json" bench run -m alone
    python3 "$tree/data/critters/train/single_file.py" "$model" sd1.safetensors --with-configs
    benches vae -m sd1.safetensors --reps 1 --latent 4x4
    adds_up 1
}

random_weights() {
    benches text --arch sd15 --reps 1 --weights f16
    adds_up 1
    holds '.subject | contains("random weights")'
    # 84,934,656 of its 123,060,480 numbers are matrices of linear layers
    says .memory.weight_bytes $((4 * 123060480 - 2 * 84934656))
    holds '[.ops[] | select(.op == "linear") | .calls] | add == 72'
}

kernel_against_kernel() {
    benches ops --kernel silu=naive --kernel silu=openmp --kernel tokens_to_image=openmp --reps 1
    says '[.ops[] | [.op, .variant]] | unique' '[["silu","naive"],["silu","openmp"],["tokens_to_image","openmp"]]'
    says '[.ops[] | select(.op == "silu") | .shape] | group_by(.) | map(length) | unique' '[2]'
    holds '[.ops[].ms] | min > 0'
}

as_text() {
    accepts bench unet -m "$model" --reps 1 --batch 2
    for text in "unet of .*batch 2, [0-9]* x [0-9]* latents" "of activations" "% GEMM" "^conv2d  *2x4x.* \* " "best of 1: " \
        "outside the ops: .* calls"; do
        grep -q -e "$text" "$work/stdout" || problem "nothing about \"$text\""
    done
    [ ! -s "$work/stderr" ] || problem "said on stderr: $(head -n 1 "$work/stderr")"
    accepts bench ops --kernel attention=naive --reps 1
    grep -q "attention  *naive  *about [0-9]* s a call: not tried" "$work/stdout" || problem "no slow kernel was left out"
}

refusals() {
    refuses 2 "the part is missing" bench
    refuses 2 "a second part" bench unet vae
    refuses 2 "no such part" bench u-net
    refuses 2 "no such option" bench unet --seed 1
    refuses 2 "no such option" bench unet -s 3
    refuses 2 "no such option" bench text --latent 8x8
    refuses 2 "no such option" bench run --batch 2
    refuses 2 "no such option" bench run --arch sd15
    refuses 2 "no such option" bench ops -m "$model"
    refuses 2 "no such option" bench ops --weights f16
    refuses 2 "no such option" "a cat" --reps 3
    refuses 2 "leave one out" bench unet -m "$model" --arch sd15
    refuses 2 "no such architecture" bench unet --arch sd3
    refuses 2 "no such variant" bench unet --kernel conv2d=best
    for latent in 8 8x 0x8 8x0 x8 8x8x8 8X8 -8x8 99999x8 ""; do refuses 2 "latent" bench unet --latent "$latent"; done
    for batch in 0 -1 1.5 65 x; do refuses 2 "whole number" bench unet --batch "$batch"; done
    for reps in 0 -1 1001 x; do refuses 2 "whole number" bench unet --reps "$reps"; done
    for precision in f16 f64 ""; do refuses 2 "precision" bench unet --precision "$precision"; done
    refuses 1 "nowhere" bench unet -m nowhere
    refuses 1 "are free" bench vae -m "$model" --latent 2048x2048 --batch 64
    refuses 1 "nowhere" bench run -m nowhere --json
}

help_teaches() {
    accepts bench --help
    for option in model arch latent batch steps reps precision json weights threads kernel; do
        grep -q -e "--$option\b" "$work/stdout" || problem "--$option is not in bench --help"
    done
    [ "$(wc -L <"$work/stdout")" -le 120 ] || problem "lines of bench --help are too long"
}

cases=(every_part the_plan_is_inspects kernels_threads_and_weights a_network_alone_is_enough random_weights
    kernel_against_kernel as_text refusals help_teaches)
run_cases
