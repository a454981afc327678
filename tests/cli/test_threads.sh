#!/bin/bash
# test_threads.sh - `--threads N` holds for all that `sculpt` does, from loading the weights to decoding the picture
#
# SCULPT names the program. With OMP_DISPLAY_AFFINITY, OpenMP itself tells of each thread of a team that it forms. The
# model must be one that is stored in f16, since it is converting that takes threads while loading.

sculpt=${SCULPT:-$PWD/sculpt}
work=$PWD/build/tmp/threads
model=$PWD/data/models/critters
rm -rf "$work" && mkdir -p "$work" || exit 1

if [ ! -e "$model/model_index.json" ]; then
    echo "skip threads_are_kept: no model in data/models/critters"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

# largest_team ARGUMENT...: how many threads it has, while a picture is drawn on a machine that offers three
largest_team() {
    OMP_NUM_THREADS=3 OMP_DISPLAY_AFFINITY=true OMP_AFFINITY_FORMAT='a team of %N' \
        "$sculpt" "a cat" -m "$model" -W 32 -H 32 -s 1 --seed 1 -o "$work/cat.png" "$@" 2>&1 |
        sed -n 's/.*a team of \([0-9]*\).*/\1/p' | sort -n | tail -n 1
}

all=$(largest_team) two=$(largest_team --threads 2)
if [ "$all" = 3 ] && [ "$two" = 2 ]; then
    echo "ok   threads_are_kept"
    echo "1 passed, 0 failed, 0 skipped"
else
    echo "FAIL threads_are_kept: teams of ${all:-none}, and with --threads 2 of ${two:-none}"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
