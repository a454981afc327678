#!/bin/bash
# test_lab.sh - `sculpt lab`: is a right kernel called right, and is each wrong one met by what is wrong with it?
#
# On small shapes (--quick), and with the small random-weight model of the goldens.

. tests/cli/cases.sh

templates=$tree/lessons/lab

# labs STATUS OP FILE ARGUMENT...: ends with this status; what it says is in stdout and stderr
labs() {
    local wanted=$1 status
    shift
    timeout 300 "$sculpt" lab "$1" "$2" --quick -m "$model" "${@:3}" >"$work/stdout" 2>"$work/stderr" </dev/null
    status=$?
    [ "$status" = "$wanted" ] || problem "lab $*: status $status, not $wanted: $(tail -n 3 "$work/stdout" "$work/stderr")"
}

said() { grep -q -e "$1" "$work/stdout" "$work/stderr" || problem "nothing about \"$1\" in $(head -c 600 "$work/stdout" "$work/stderr")"; }
unsaid() { ! grep -q -e "$1" "$work/stdout" || problem "it said \"$1\""; }

# changed OP OLD NEW: the op's template with one piece replaced, as mine.c
changed() {
    local text rest
    text=$(<"$templates/$1.c")
    rest=${text#*"$2"}
    [ "$rest" != "$text" ] || problem "\"$2\" is not in $1.c"
    printf '%s\n' "${text/"$2"/"$3"}" >mine.c
}

# ---- right ones -----------------------------------------------------------------------------------------------------

every_template_is_right() {
    local op
    for op in $("$sculpt" kernels | sed -n 's/^\([a-z0-9_]*\): .*/\1/p'); do
        labs 0 "$op" "$templates/$op.c" -o "$op.png"
        said "^  right  ([0-9]* cases)"
        said "^  yours "
        said "^  machine .* [GMk]*\(FLOP\|B\)/s"
        [ ! -s "$work/stderr" ] || problem "$op: the compiler says $(head -n 1 "$work/stderr")"
    done
    [ -e conv2d.png ] && [ -e conv2d-steps.png ] && [ -e conv2d-roofline.png ] || problem "there are only $(ls)"
    [ ! -e relu-steps.png ] || problem "relu has drawn something"
    python3 "$templates/templates.py" --check 2>"$work/stderr" || problem "$(cat "$work/stderr")"
}

a_scheduler_is_right() {
    labs 0 scheduler "$templates/scheduler.c"
    said "^  right  ([0-9]* cases)"
    said "^  yours  .* 1.0$"
    said "^  dpmpp_2m .* 2.[0-9]$"
    said "^  4 steps .*%  .*%"
    [ -e lab.png ] || problem "there is no lab.png"
    labs 0 scheduler "$templates/scheduler.c" -s 7
    said "^  7 steps "
}

# What the lab compiles by itself may be compiled by hand.
by_hand() {
    cc -O2 -fopenmp -shared -fPIC -I "$tree/core" "$templates/conv2d.c" -o mine.so || problem "conv2d.c doesn't compile"
    labs 0 conv2d mine.so
    [ -e mine.so ] || problem "the object is gone"
    draw "a cat" --kernel conv2d=./mine.so -o mine.png
    draw "a cat" --kernel conv2d=naive -o naive.png
    draw "a cat" --kernel conv2d=mine.so -o again.png
    grep -qa "conv2d=./mine.so" mine.png || problem "the picture doesn't tell its kernel"
    python3 -c "import sys; sys.path.insert(0, '$tree/tests/lessons'); import png; sys.exit(png.mean_difference('mine.png', 'naive.png') > 0.1)" ||
        problem "the definition by hand draws another picture"
    cc -O2 -shared -fPIC -I "$tree/core" "$templates/scheduler.c" -o steps.so -lm || problem "scheduler.c doesn't compile"
    draw "a cat" --scheduler ./steps.so -o steps.png
    grep -qa "Sampler: ./steps.so" steps.png || problem "the picture doesn't tell its scheduler"
    accepts bench unet -m "$model" --reps 1 --kernel conv2d=./mine.so --json
    cp "$work/stdout" object
    says '[.ops[] | select(.op == "conv2d") | .variant] | unique' '["./mine.so"]'
    accepts inspect "$model" --kernel conv2d=./mine.so --scheduler ./steps.so
}

# ---- wrong ones -----------------------------------------------------------------------------------------------------

# A wrong kernel is drawn with.
wrong_numbers() {
    changed conv2d "+ ky) * s.K + kx]" "+ kx) * s.K + ky]"
    labs 1 conv2d mine.c
    said "in case 1: in \[2, 3, 7, 5\], weight \[4, 3, 3, 3\], stride 1, padding 1"
    said "out\[0, 0, 0, 0\] is .*, should be .* (off by .*); [0-9]* of [0-9]* numbers differ"
    said "^  yours "
    said "^  *4  [1-9]\.[0-9]*e"
    [ -e lab.png ] && [ -e lab-steps.png ] || problem "nothing was drawn"
    changed silu "in[i] / (1 +" "2 * in[i] / (1 +"
    labs 1 silu mine.c
    said "All of .out. is 2 times what it should be"
    changed relu "in[i] < 0 ? 0 : in[i]" "in[i] > 0 ? in[i] : 0"
    labs 1 relu mine.c
    said "A NaN that goes in has to come out"
    changed add "i < n; i++) out" "i + 1 < n; i++) out"
    labs 1 add mine.c
    said "was not written"
    changed concat_channels "s.Cb * s.H * s.W;" "s.Cb * s.H * s.W; out[s.B * (na + nb)] = 0;"
    labs 1 concat_channels mine.c
    said "wrote behind the end of .out."
}

whatever_it_does() {
    changed conv2d "if (yin >= s.H || xin >= s.W) continue;" ""
    labs 1 conv2d mine.c
    said "behind the end of .in.\|where there is no memory"
    unsaid "^  yours "
    changed silu "i < n" "n > 0 || i < n"
    labs 1 silu mine.c
    said "behind the end of\|where there is no memory"
    changed layer_norm "size_t" "for (volatile int i = 0; i < 1;) continue; size_t"
    printf '%s\n' '#include "ops/my_kernel.h"' 'static void f(float *o, const float *i, size_t n) { for (volatile size_t k = 0; k < 1;) *o = *i + (float)n; }' \
        'KernelPlugin sculpt_kernel = {KERNEL_ABI, "silu", .silu = f};' >mine.c
    labs 1 silu mine.c
    said "It doesn't end"
    sed -i 's/for (volatile.*;) /__builtin_abort(); /' mine.c
    labs 1 silu mine.c
    said "It was aborted"
    [ ! -e lab.png ] || problem "something was drawn"
}

wrong_schedulers() {
    changed scheduler "noise) / sqrtf(a_t)" "noise) / a_t"
    labs 1 scheduler mine.c
    said "All of .pred_original_sample. is .* times"
    [ -e lab.png ] || problem "it wasn't drawn with"
    changed scheduler "x0 + sqrtf(1 - a_prev)" "x0 + sqrtf(1 - a_t)"
    labs 1 scheduler mine.c
    said "prev_sample is .* times the picture and .* times the noise; at the next stop"
    changed scheduler "(N - k * N / S - 1)" "(k * N / S)"
    labs 1 scheduler mine.c
    said "From noise to picture they fall"
    changed scheduler "init_noise_sigma = 1" "init_noise_sigma = 14"
    labs 1 scheduler mine.c
    said "init_noise_sigma is 14"
    changed scheduler "variance_preserving = true" "variance_preserving = false"
    labs 1 scheduler mine.c
    said "init_noise_sigma is 1: .*the first sigma"
    changed scheduler "prev_sample[i] = sqrtf" "prev_sample[0] = 0; prev_sample[i] = sqrtf"
    labs 1 scheduler mine.c
    said "prev_sample is neither"
    changed scheduler "if (!sculpt" "if (num_inference_steps == 3) return sculpt_scheduler.tools->error_set(error, \"three: no\"); if (!sculpt"
    labs 1 scheduler mine.c
    said "It refuses: three: no"
}

what_is_no_kernel() {
    changed silu "float *out" "flaot *out"
    labs 1 silu mine.c
    said "mine.c:[0-9]*:[0-9]*: error: .*flaot"
    said "^sculpt: mine.c: doesn't compile; "
    changed silu "KERNEL_ABI" "KERNEL_ABI + 1"
    labs 1 silu mine.c
    said "^sculpt: .*mine.so: was compiled for kernels of version 2, and these are version 1; compile it anew"
    labs 1 relu "$templates/silu.c"
    said "^sculpt: .*computes silu, not relu; "
    labs 1 scheduler "$templates/silu.c"
    said "^sculpt: .*exports no .sculpt_scheduler.; "
    changed silu "my_silu(float" "my_silo(float"
    labs 1 silu mine.c
    said "error: .*my_silu.* undeclared"
    CC=nothing-of-this-name labs 1 silu "$templates/silu.c"
    said "^sculpt: nothing-of-this-name: there is no such compiler; "
    labs 1 silu nowhere.c
    said "^sculpt: nowhere.c: there is no such file; "
    [ -z "$(ls -d "${TMPDIR:-/tmp}"/sculpt-lab-* 2>/dev/null | while read -r folder; do [ -O "$folder" ] && find "$folder" -maxdepth 0 -newer mine.c; done)" ] ||
        problem "folders are left in ${TMPDIR:-/tmp}"
}

# At each save once more, until somebody presses Enter
every_save() {
    changed silu "in[i] /" "2 * in[i] /"
    mkfifo keys
    "$sculpt" lab silu mine.c --quick --watch -m "$model" <keys >said 2>&1 &
    local lab=$! i
    exec 9>keys
    for ((i = 0; i < 600; i++)); do grep -q Watching said && break; sleep 0.1; done
    sleep 0.2  # until it watches, not only says so
    cp "$templates/silu.c" mine.c
    for ((i = 0; i < 600; i++)); do [ "$(grep -c Watching said)" = 2 ] && break; sleep 0.1; done
    echo >&9
    exec 9>&-
    wait $lab || problem "status $? in the end: $(tail -n 3 said)"
    grep -q "^  wrong" said && grep -q "^  right" said || problem "not wrong and then right: $(head -c 400 said)"
}

refusals() {
    refuses 2 "the op is missing" lab
    refuses 2 "the file is missing" lab silu
    refuses 2 "no op has this name" lab silo mine.c
    refuses 2 "a second op" lab silu mine.c other.c
    refuses 2 "isn't compiled at a save" lab silu mine.so --watch
    refuses 2 "no such option" lab silu mine.c -g 3
    refuses 2 "no such option" "a cat" --quick
    refuses 2 "no such option" bench unet --watch
    refuses 2 ".png" lab silu mine.c -o lab.txt
    refuses 2 "can't be read" "a cat" --kernel silu=./nowhere.so
    refuses 2 "can't be loaded" "a cat" --kernel "silu=$tree/Makefile"
    refuses 2 "can't be read" "a cat" --scheduler ./nowhere.so
    refuses 2 "no op has this name" "a cat" --kernel silo=./nowhere.so
    accepts lab --help
    grep -q -e "--watch" "$work/stdout" || problem "lab --help says nothing of --watch"
    [ "$(wc -L <"$work/stdout")" -le 120 ] || problem "lines of lab --help are too long"
}

cases=(every_template_is_right a_scheduler_is_right by_hand wrong_numbers whatever_it_does wrong_schedulers what_is_no_kernel
    every_save refusals)
run_cases
