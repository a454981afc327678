#!/bin/bash
# test_whodunit.sh - the game can be won by looking: in each of the twenty cases all tensors before the planted one follow
# from what stands before them and the planted one doesn't; the guilty one is convicted there, nobody else and nowhere else;
# and in an honest run all follow
#
# LESSON_BUILD and LESSON_COMPILE as in lessons/guide/check.sh; where LESSON_NAMES asks for one lesson, nothing is played.

case $LESSON_NAMES in
'' | *' '*) ;;
*) echo "skip the game: only $LESSON_NAMES is asked for" && echo "0 passed, 0 failed, 1 skipped" && exit 0 ;;
esac

program=${LESSON_BUILD:-build/gcc}/whodunit
work=$PWD/build/tmp/test_whodunit
rm -rf "$work" && mkdir -p "$work" || exit 1

# case, its steps, who it was, where, and an innocent of its list
cases='1 6 bgr image; cut-prompt
2 6 swapped-rows noise_pred 0; from-text
3 6 cut-prompt input_ids; clip-skip
4 6 unscaled-decode image; guidance-off
5 6 x0-by-a pred_original_sample 0; old-noise
6 6 old-noise latents 1; next-stop
7 6 conv-flip noise_pred_uncond 0; attention-scale
8 6 attention-scale text_embeddings; layer-norm
9 6 loud-input noise_pred_uncond 0; time-embedding
10 6 stuck-clock noise_pred_uncond 1; deep-cache
11 6 unscaled-encode latents 0; dark-pixels
12 6 reversed-stride latents 4; skipped-step
13 8 reseeded latents 1; no-fresh-noise
14 6 quiet-start latents 0; other-seed
15 6 last-sigma latents 6; no-offset
16 6 no-offset timesteps; trailing
17 6 int-guidance noise_pred 0; guidance-off
18 8 deep-cache noise_pred_uncond 1; stuck-clock
19 8 lost-history latents 4; skipped-step
20 8 stale-answer noise_pred_text 4; lost-history'

# All tensors of a run of so many steps, in the order in which it makes them
tensors() {
    printf '%s\n' input_ids text_embeddings timesteps 'latents 0'
    for ((k = 0; k < $1; k++)); do
        printf '%s\n' "noise_pred_uncond $k" "noise_pred_text $k" "noise_pred $k" "pred_original_sample $k"
        echo "latents $((k + 1))"
    done
    echo image
}

passed=0 failed=0 skipped=0
# report NAME PROBLEMS PLAYED: with what the program said, where there are problems
report() {
    if [ -z "$2" ]; then
        echo "ok   $1" && passed=$((passed + 1))
    else
        echo "FAIL $1: $2" && sed 's/^/    /' "$work/$3.said" && failed=$((failed + 1))
    fi
}

# play NAME: what stands on stdin is played; what is said goes to $work/NAME.said, the score to $work/NAME.progress
play() { "$program" "$work" "$work/$1.progress" >"$work/$1.said" 2>&1 || echo "ended with $?" >>"$work/$1.said"; }

# says PLAYED TEXT...: complains of the first that isn't there, in this order
says() {
    local file=$work/$1.said line from=1 at
    shift
    for line; do
        at=$(tail -n +$from "$file" | grep -nF -m 1 -e "$line" | cut -d: -f1)
        [ -n "$at" ] || { echo "\"$line\" wasn't said" && return; }
        from=$((from + at))
    done
}

# An honest detective looks at everything up to the place, halves what may be wrong, and accuses three times.
investigate() {
    local number=$1 steps=$2 guilty=$3 place=$4 innocent=$5 before elsewhere
    mapfile -t before < <(tensors "$steps" | sed "/^$place\$/,\$d")
    [ ${#before[@]} = 0 ] && elsewhere=image || elsewhere=${before[-1]}
    local expected=() commands=("case $number")
    for tensor in "${before[@]}"; do
        commands+=("look $tensor") expected+=("$tensor: follows")
    done
    [ ${#before[@]} = 0 ] || { commands+=("upto $elsewhere") && expected+=("up to $elsewhere: all as in an honest run"); }
    commands+=("look $place" "upto $place" "upto image"
        "accuse $innocent $place" "accuse $guilty $elsewhere" "accuse $guilty $place" cases)
    expected+=("$place: does NOT follow, off by" "up to $place: something is wrong" "up to image: something is wrong"
        "That is where it happened, but it was somebody else."
        "That may be who, but it isn't the first tensor that is wrong." "Guilty!" "Read: lesson" "Solved: 1 of 20")
    printf '%s\n' "${commands[@]}" | play "$number"
    # a wrong accusation costs three, and the same look again nothing
    local problem looks=$((${#before[@]} + 1 + (${#before[@]} > 0) + 1 + 6))
    [ "$place" = image ] || looks=$((looks + 1))
    problem=$(says "$number" "${expected[@]}")
    grep -qx "$(printf '%02d' "$number") $looks" "$work/$number.progress" || problem+=" $looks looks weren't noted"
    report "case $number: $guilty at $place" "$problem" "$number"
}

honest_run() {
    local expected=()
    { echo "case 0" && tensors 6 | sed 's/^/look /' && echo "upto image" && echo "accuse nobody"; } | play 0
    mapfile -t expected < <(tensors 6 | sed 's/$/: follows/')
    report "an honest run shows no fault" "$(says 0 "${expected[@]}" "up to image: all" "Indeed.")" 0
}

# What is typed may be anything.
mistyped() {
    printf '%s\n' 'look latents 0' 'case 99' 'case x' 'case 1' 'look latents 7' 'look latents' 'show hat 1' \
        'accuse' 'accuse me image' 'accuse bgr' "$(printf 'a%.0s' {1..600})" '' 'show x0 2' 'show ids' 'show t' \
        'confess' 'accuse bgr image' 'cases' | play mistyped
    local problem
    problem=$(says mistyped "Open a case first" "There are cases 1 to 20" "There are cases 1 to 20" "Case 1:" \
        'no tensor "latents 7"' 'no tensor "latents"' 'no tensor "hat 1"' 'Nobody here is called ""' 'Nobody here is called "me"' 'And where?' "quit" \
        "pred_original_sample 2" "a</w> red</w> cat</w>" "timesteps" "It was bgr" "Guilty!" "Solved: 0 of 20")
    [ ! -e "$work/mistyped.progress" ] || problem+=" a case that was given up counts as solved"
    [ -s "$work/01/pred_original_sample-2.png" ] || problem+=" no picture of a guess"
    report "whatever is typed" "$problem" mistyped
}

honest_run
mistyped
while read -r number steps guilty rest; do
    if [[ $LESSON_COMPILE == *-fsanitize* && $number != [3578] ]]; then
        echo "skip case $number: minutes with sanitizers, and the numbers are the same" && skipped=$((skipped + 1))
    else
        investigate "$number" "$steps" "$guilty" "${rest%%;*}" "${rest##*; }"
    fi
done <<<"$cases"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
