#!/bin/bash
# test_lessons.sh - the lessons' promises: every exercise fails as it is given, every solution passes, and every wrong
# answer in a mutants.txt is met by its own sentence
#
# All lessons, or those in LESSON_NAMES; LESSON_COMPILE and so on as in lessons/guide/check.sh.
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

# try LESSON NAME FILE STATUS SENTENCE [SEED]: noted, to be run by run_all
try() {
    local folder=$work/$1/$2
    mkdir -p "$folder"
    printf '%s\n' "$1" "$3" "$4" "$5" "$6" >"$folder/trial"
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

# One trial, in its folder: writes the line that is reported.
run_trial() {
    local folder=$1 lesson answer status sentence seed got
    { read -r lesson; read -r answer; read -r status; read -r sentence; read -r seed; } <"$folder/trial"
    local name=$lesson/${folder##*/}
    LESSON_OUT=$folder CHECK_SEED=$seed NO_COLOR=1 lessons/guide/check.sh "$lesson" "$answer" >"$folder/said" 2>&1
    got=$?
    if [ "$got" != "$status" ]; then
        echo "FAIL $name: ended with $got, not $status"
    elif ! grep -qF -e "$sentence" "$folder/said"; then
        echo "FAIL $name: \"$sentence\" was not said"
    else
        echo "ok   $name"
    fi >"$folder/verdict"
    grep -q '^ok' "$folder/verdict" || sed 's/^/    /' "$folder/said" >>"$folder/verdict"
}
export -f run_trial

for lesson in "${lessons[@]}"; do
    try "$lesson" exercise-as-given "lessons/$lesson/exercise.c" 1 "  ->  "
    for seed in 1 2 3; do
        try "$lesson" "solution-seed-$seed" "lessons/$lesson/solution.c" 0 "is right" $seed
    done
    read_mutants "$lesson"
done
find "$work" -name trial -printf '%h\n' | sort | LESSON_NO_SHOW=1 xargs -P "$jobs" -I{} bash -c 'run_trial "$1"' _ {}

cat "$work"/*/*/verdict
passed=$(cat "$work"/*/*/verdict | grep -c '^ok ') failed=$(cat "$work"/*/*/verdict | grep -c '^FAIL ')
skipped=$(cat "$work"/*/*/verdict | grep -c '^skip ')
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
