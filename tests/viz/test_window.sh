#!/bin/bash
# test_window.sh - `sculpt-view` without a screen: its command line, scripts and what they say when they are wrong, and
# that a script does what a hand would

. tests/cli/cases.sh
sculpt=${SCULPT_VIEW:-$PWD/sculpt-view} program=sculpt-view
if [ ! -x "$sculpt" ]; then
    echo "skip all: sculpt-view isn't built; install SDL (make view)"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

# script LINE...: runs these lines, over the small random model
script() {
    printf '%s\n' "$@" >script
    accepts --headless --script script -m "$model"
}

# script_refused PATTERN LINE...
script_refused() {
    local pattern=$1
    shift
    printf '%s\n' "$@" >script
    refuses 1 "$pattern" --headless --script script -m "$model"
}

# ---- the command line -----------------------------------------------------------------------------------------------

help_teaches() {
    accepts --help
    for option in model trace dark light size scale headless script frame pretend-seconds frame-times help version; do
        grep -q -e "--$option\b" "$work/stdout" || problem "--$option is not in --help"
    done
    [ "$(wc -L <"$work/stdout")" -le 120 ] || problem "lines of --help are too long"
    accepts --version
    [[ $(cat "$work/stdout") == sculpt-view\ [0-9]* ]] || problem "--version prints $(cat "$work/stdout")"
}

bad_command_lines() {
    refuses 2 "did you mean --headless" --headles
    refuses 2 "no such option" --script=a --hea
    refuses 2 "no such option" -x
    refuses 2 "no such option" --colour red
    refuses 2 "value is missing" --size
    refuses 2 "value is missing" -m
    refuses 2 "takes no value" --dark=yes
    refuses 2 "in quotes" a cat
    refuses 2 "add --headless" --script a
    refuses 2 "add --headless" --frame a.png
    refuses 2 "leave one out" --trace a.safetensors "a cat"
    refuses 2 "no such file" nothing.safetensors
    for size in 1280 1280x 1280x800x2 12x800 99999x800 -1280x800 1280X800 "" 1280x800.5; do refuses 2 "no size" --size "$size"; done
    for scale in 0 -1 9 nan x ""; do refuses 2 "not a number" --scale "$scale"; done
    for seconds in -1 inf x; do refuses 2 "not a number" --pretend-seconds "$seconds"; done
}

what_cannot_be() {
    refuses 1 "check the path" --headless --script nothing
    XDG_RUNTIME_DIR=$PWD DISPLAY="" WAYLAND_DISPLAY="" refuses 1 "add --headless"
    SCULPT_FONTS=$PWD/nowhere refuses 1 "nowhere" --headless
    refuses 1 "nowhere" --headless --frame-times nowhere/times
    refuses 1 "nowhere" --headless -m "$model" --frame nowhere/a.png
}

# ---- scripts --------------------------------------------------------------------------------------------------------

wrong_scripts() {
    script_refused "script:2: pres: no such command; did you mean press" "# a comment" "pres Watch"
    script_refused "script:1: press: wants 1 to 2 words" "press"
    script_refused "wants 0 to 0 words" "list all"
    script_refused "one word too many" "drag 1 2 3 4 5 6 7 8 9"
    script_refused "closing" 'type "a cat'
    script_refused "script:3: Wrods: nothing on the screen is called that; the nearest names are Words" "press Words" "" "press Wrods"
    script_refused "is no number" "press 1 x"
    script_refused "is no number" "time soon"
    script_refused "no time to let pass" "time -1"
    script_refused "no key" "key ctrl+Nothing"
    script_refused "no size" "size 3x4"
    script_refused "no scale" "scale 100"
    script_refused "no such theme" "theme blue"
    script_refused "no such fact" "print weather"
    script_refused 'view: is "watch", not "words"' "expect view words"
    script_refused "nowhere" "frame nowhere/a.png"
}

a_script_presses_and_types() {
    script "expect view watch" "press Words" "expect view words" "key 1" "expect view watch" \
        "press Prompt" "expect focus Prompt" "key ctrl+a" 'type "a blue döner, here"' 'expect prompt "a blue döner, here"' \
        "tab 1" 'expect focus "Negative prompt"' "tab -1" "expect focus Prompt" \
        "theme dark" "expect theme dark" "size 900x700" "expect size 900x700" "scale 1.5" "expect size 900x700" \
        "expect branches >-1" "expect branches <9" "print theme" "list"
    expect "print" "$(head -n 1 "$work/stdout")" dark
    grep -q "^Prompt	[0-9]" "$work/stdout" || problem "list doesn't name the prompt"
}

lines_from_standard_input() {
    echo "print view" | timeout 100 "$sculpt" --headless --script - -m "$model" >out 2>err
    expect "view" "$(cat out)" watch
    printf 'print view\nprint nothing' | timeout 100 "$sculpt" --headless --script - -m "$model" >out 2>err
    expect "status" "$?" 1
    grep -q "^sculpt-view: standard input:2: " err || problem "$(cat err)"
}

# The model draws noise, but quickly.
a_run_to_its_end() {
    script "wait" "press Prompt" "key ctrl+a" 'type "a cat"' "key Return" "wait" "print state" "print done" "print steps" \
        "print calls" "print prompt" "print parent" "print equal-to-parent" "print busy"
    expect "run" "$(tr '\n' ' ' <"$work/stdout")" "done 20 20 40 a cat none none no "
}

leaving_during_a_run() {
    local begin=$SECONDS
    script "wait" "press Steps" "key End" "press Run" "time 0.1" "expect state running"
    [ $((SECONDS - begin)) -lt 20 ] || problem "it took $((SECONDS - begin)) s to leave"
}

# ---- frames ---------------------------------------------------------------------------------------------------------

# size FILE.png: width x height, from its header
png_size() { printf '%dx%d' $((0x$(od -An -t x1 -j 16 -N 4 "$1" | tr -d ' '))) $((0x$(od -An -t x1 -j 20 -N 4 "$1" | tr -d ' '))); }

frames_are_alike() {
    local lines=("wait" "press Words" "hover Prompt" "time 1.3" "frame a.png" "scale 2" "size 700x500" "frame b.png")
    script "${lines[@]}"
    mv a.png first.png
    expect "size of a frame" "$(png_size first.png)" 1280x800
    expect "size of a larger one" "$(png_size b.png)" 1400x1000
    script "${lines[@]}"
    cmp -s a.png first.png || problem "the same script has drawn another frame"
    accepts --headless -m "$model" --size 640x480 --scale 1.5 --dark --frame c.png --frame-times times
    expect "size of a small one" "$(png_size c.png)" 960x720
    grep -qx '[0-9.]*' times || problem "no frame times"
}

# The noise plot and the strip stand over each other: the same place is the same step.
axes_agree() {
    printf '%s\n' wait 'press Play' 'press "Noise plot"' wait list >script
    accepts --headless --script script
    strip=$(awk -F'\t' '$1 == "strip 0" { split($2, at, " "); print at[1] " " at[3] }' "$work/stdout")
    plot=$(awk -F'\t' '$1 == "plot" { split($2, at, " "); print at[1] " " at[3] }' "$work/stdout")
    [ -n "$plot" ] || problem "there is no plot"
    expect "where the plot begins, and its width" "$plot" "$strip"
}

# ---- files that are dropped, or named -------------------------------------------------------------------------------

dropped_files() {
    local trace=$work/dropped_files/run.safetensors
    "${SCULPT:-$tree/sculpt}" "a cat" -m "$model" -s 3 --seed 1 -o init.png --trace "$trace" 2>/dev/null
    echo "no safetensors" >broken.safetensors
    script "wait" "print branches" "drop $trace" "wait" "expect steps 3" "expect state done" "print branches" \
        "drop broken.safetensors" "wait" "expect error yes" "drop script" "expect error yes" "expect notice dropped" \
        "drop $stages/../runs/sd1" "wait" "expect model $stages/../runs/sd1" "drop init.png" "expect error no"
    expect "a branch more" "$(tail -n 1 "$work/stdout")" $(($(head -n 1 "$work/stdout") + 1))
    printf 'wait\nexpect steps 3\nexpect k >-1\n' >script
    accepts --headless --script script -m "$model" "$trace"
    accepts --headless --script script -m "$model" --trace "$trace"
}

cases=(help_teaches bad_command_lines what_cannot_be wrong_scripts a_script_presses_and_types lines_from_standard_input
    a_run_to_its_end leaving_during_a_run frames_are_alike axes_agree
    dropped_files)
run_cases
