#!/bin/bash
# check.sh - compiles an answer to a lesson's exercise, and checks it
#
#     lessons/guide/check.sh LESSON FILE.c        LESSON is the folder's name, 04-ddim
#
# For `make check`, the guide and the tests, from the top of the tree; they say in LESSON_COMPILE, LESSON_LINKS and
# LESSON_BUILD how things are compiled here, and have built the check and the libraries. LESSON_OUT is where pictures and
# the program go (build/lessons/LESSON). Exit status: 0 right, 1 wrong, 2 not an answer yet: it doesn't compile.

lesson=$1 answer=$2
folder=lessons/$lesson
out=${LESSON_OUT:-build/lessons/$lesson}

[ -n "$LESSON_COMPILE" ] || { echo "Run it by make: make check N=${lesson%%-*}" >&2; exit 2; }
[ -f "$answer" ] || { echo "$answer: there is no such file" >&2; exit 2; }
mkdir -p "$out" || exit 2

colour=
[ -t 2 ] && [ -z "$NO_COLOR" ] && colour=-fdiagnostics-color=always

# Unused parameters are no news in a function that isn't written yet; calling one that isn't declared is a mistake.
# In a build with sanitizers the answer itself goes without: what it does is to be told in the check's sentences.
said=$($LESSON_COMPILE -fno-sanitize=all -Wno-unused-parameter -Werror=implicit-function-declaration $colour \
    -Ilessons -Idata -I"$folder" -c "$answer" -o "$out/answer.o" 2>&1)
status=$?
if [ $status != 0 ]; then
    printf '%s doesn'\''t compile yet. The compiler says:\n%s\n' "$answer" "$said" >&2
    exit 2
fi
[ -z "$said" ] || printf 'The compiler warns:\n%s\n' "$said" >&2

if ! said=$($LESSON_COMPILE "$LESSON_BUILD/lessons/$lesson/check.o" "$out/answer.o" "$LESSON_BUILD"/lib{lessons,critters,sculpt}.a \
    -o "$out/check" $LESSON_LINKS 2>&1); then
    printf '%s compiles, but a function that the check calls isn'\''t in it (or is there twice). The linker says:\n%s\n' \
        "$answer" "$(grep -E 'undefined reference|multiple definition' <<<"$said" || echo "$said")" >&2
    exit 2
fi

echo "$answer"
exec "$out/check"
