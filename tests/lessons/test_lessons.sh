#!/bin/bash
# test_lessons.sh - the lessons' promises: every exercise fails as it is given, every solution passes, and every wrong
# answer in a mutants.txt is met by its own sentence
#
# All lessons, or those in LESSON_NAMES; LESSON_COMPILE and so on as in lessons/guide/check.sh.
#
# A check has other numbers at every call; here they are those of seeds, so that what fails fails again: 1, and for
# solutions 1 2 3, or those in LESSON_SEEDS for all. A mutant has to be met by its sentence with any of them.
#
# A mutant is solution.c with replacements: "- OLD" and "+ NEW" (OLD stands exactly once in the file), and "= SENTENCE",
# which has to be in what the check says. Each answer is compiled and checked in a folder of its own, two at a time.

work=$PWD/build/tmp/test_lessons
rm -rf "$work" && mkdir -p "$work" || exit 1
read -ra lessons <<<"${LESSON_NAMES:-$(cd lessons && echo [0-9][0-9]-*)}"
jobs=${LESSON_JOBS:-2}

# What UBSan says first, in its own words; what AddressSanitizer doesn't bear, limits of memory; and how fast an answer is
# beside core's naive, which is slower with them
unsanitized='a pointer that is NULL|out of memory|Each product waits|hops through memory'

# ---- what is to be tried: an answer, what must become of it, a sentence ----------------------------------------------

# try LESSON NAME FILE STATUS SENTENCE [SEEDS]: noted, to be run by run_trial
try() {
    local folder=$work/$1/$2
    mkdir -p "$folder"
    printf '%s\n' "$1" "$3" "$4" "$5" "${LESSON_SEEDS:-${6:-1}}" >"$folder/trial"
}

# mutate LESSON NAME TEXT SENTENCE PROBLEM: the same for a mutant, unless it has a problem
mutate() {
    local folder=$work/$1/$2 problem=$5
    [ ! -e "$folder" ] || problem="there are two of this name"
    mkdir -p "$folder"
    if [ -n "$problem" ]; then
        echo "FAIL $1/$2: mutants.txt: $problem" >"$folder/verdict"
    elif [[ $LESSON_COMPILE == *-fsanitize* && $4 =~ $unsanitized ]]; then
        echo "skip $1/$2: otherwise with sanitizers" >"$folder/verdict"
    else
        printf '%s\n' "$3" >"$folder/mutant.c"
        try "$1" "$2" "$folder/mutant.c" 1 "$4"
    fi
}

read_mutants() {
    local lesson=$1 line name="" text="" old="" rest problem="" original
    original=$(<"lessons/$lesson/solution.c")
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        '#'* | '') ;;
        '- '*) old=${line:2} ;;
        '+ '* | '+')
            rest=${text#*"$old"}
            [ "$rest" != "$text" ] || problem="\"$old\" is not in solution.c"
            [ "${rest#*"$old"}" = "$rest" ] || problem="\"$old\" is in solution.c more than once"
            text=${text/"$old"/"${line:2}"}
            ;;
        '= '*) mutate "$lesson" "$name" "$text" "${line:2}" "$problem" ;;
        *) name=$line text=$original problem="" ;;
        esac
    done <"lessons/$lesson/mutants.txt"
}

# ---- trying ---------------------------------------------------------------------------------------------------------

# expect STATUS SENTENCE GOT SAID: nothing, or what is wrong with what a check has said
expect() {
    if [ "$3" != "$1" ]; then
        echo "ended with $3, not $1"
    elif ! grep -qF -e "$2" "$4"; then
        echo "\"$2\" was not said"
    fi
}

# One trial, in its folder: writes the line that is reported. It is compiled once, for the first seed.
run_trial() {
    local folder=$1 lesson answer status sentence seeds seed wrong command
    { read -r lesson; read -r answer; read -r status; read -r sentence; read -r seeds; } <"$folder/trial"
    export LESSON_OUT=$folder CHECK_SEED NO_COLOR=1
    command=(lessons/guide/check.sh "$lesson" "$answer")
    for seed in $seeds; do
        CHECK_SEED=$seed "${command[@]}" >"$folder/said" 2>&1
        wrong=$(expect "$status" "$sentence" $? "$folder/said")
        [ -z "$wrong" ] || break
        command=("$folder/check")
    done
    if [ -n "$wrong" ]; then
        echo "FAIL $lesson/${folder##*/}, seed $seed: $wrong"
        sed 's/^/    /' "$folder/said"
    else
        echo "ok   $lesson/${folder##*/}"
    fi >"$folder/verdict"
}
export -f expect run_trial

for lesson in "${lessons[@]}"; do
    try "$lesson" exercise-as-given "lessons/$lesson/exercise.c" 1 "  ->  "
    try "$lesson" solution "lessons/$lesson/solution.c" 0 "is right" "1 2 3"
    read_mutants "$lesson"
done
find "$work" -name trial -printf '%h\n' | sort | LESSON_NO_SHOW=1 xargs -P "$jobs" -I{} bash -c 'run_trial "$1"' _ {}

cat "$work"/*/*/verdict
passed=$(cat "$work"/*/*/verdict | grep -c '^ok ') failed=$(cat "$work"/*/*/verdict | grep -c '^FAIL ')
skipped=$(cat "$work"/*/*/verdict | grep -c '^skip ')
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
