#!/bin/bash
# xvfb_tour.sh - a tour of the real window, by a hand that moves mouse and keys: no test of the suite, but what to run, and
# to look at, when viz/window has changed
#
#     tests/viz/xvfb_tour.sh [FOLDER]      screenshots go to FOLDER [build/tmp/tour]
#
# Needs Xvfb, xdotool and ImageMagick's import. Where things stand is asked of the same window without a screen. Ends
# with "N passed, N failed, N skipped", as tests do.

view=${SCULPT_VIEW:-$PWD/sculpt-view}
folder=${1:-$PWD/build/tmp/tour}
for tool in Xvfb xdotool import; do
    command -v $tool >/dev/null && continue
    echo "skip all: $tool isn't installed"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
done
rm -rf "$folder" && mkdir -p "$folder" && cd "$folder" || exit 1
ln -s "$OLDPWD/data" data

passed=0 failed=0
check() {  # check WHAT COMMAND...: whether the command succeeds
    local what=$1
    shift
    if "$@"; then echo "ok   $what" && passed=$((passed + 1)); else echo "FAIL $what" && failed=$((failed + 1)); fi
}

# ---- a screen, a window, a hand -------------------------------------------------------------------------------------

start_screen() {  # start_screen WIDTHxHEIGHT
    local number
    exec {pipe}<> <(:)
    Xvfb -displayfd $pipe -screen 0 "$1x24" -nolisten tcp 2>/dev/null &
    screen=$!
    read -r -t 20 -u $pipe number
    export DISPLAY=:$number SDL_VIDEODRIVER=x11
}

open_window() {  # open_window OPTION...
    local wait
    "$view" "$@" 2>stderr &
    window_process=$!
    for wait in $(seq 100); do
        window=$(xdotool search --onlyvisible --name '^Sculpt$' 2>/dev/null | head -n 1)
        [ -n "$window" ] && break
        sleep 0.1
    done
    sleep 1
    xdotool windowfocus "$window"
}

shoot() { import -window "${2:-$window}" "$1.png"; }

# where NAME LINE...: its middle, and its left edge and width, after these lines of a script at this size
where() {
    local name=$1
    shift
    printf '%s\n' wait "$@" list | "$view" --headless --size 1280x800 --script - |
        awk -F'\t' -v name="$name" '$1 == name { split($2, r, " "); printf "%d %d %d %d\n", r[1] + r[3] / 2, r[2] + r[4] / 2, r[1], r[3] }'
}

press() { xdotool mousemove --window "$window" "$1" "$2" sleep 0.1 mousedown 1 sleep 0.1 mouseup 1 sleep 0.2; }
keys() { xdotool key --delay 60 "$@"; }
gone() {  # the window's program ends within two seconds, with status 0
    local wait
    for wait in $(seq 20); do
        kill -0 $window_process 2>/dev/null || break
        sleep 0.1
    done
    ! kill -0 $window_process 2>/dev/null && wait $window_process
}
closes() {  # closes WHAT COMMAND...
    local what=$1
    shift
    "$@"
    check "$what" gone
    kill -0 $window_process 2>/dev/null && kill $window_process
}

# ---- the tour -------------------------------------------------------------------------------------------------------

start_screen 1400x1000
read -r prompt_x prompt_y _ < <(where Prompt)
read -r _ strip_y strip_x strip_width < <(where "strip 0")

open_window --size 1280x800
check "a window" test -n "$window"
sleep 2
shoot 01-welcome
press "$prompt_x" "$prompt_y"
keys ctrl+a
xdotool type --delay 40 "a red cat wearing a crown"
shoot 02-typed
keys Return
sleep 1
shoot 03-running
sleep 8
shoot 04-done
xdotool mousemove --window "$window" $((strip_x + strip_width - 20)) "$strip_y" mousedown 1
for i in $(seq 40); do xdotool mousemove --window "$window" $((strip_x + strip_width - 20 - i * strip_width / 80)) "$strip_y" sleep 0.02; done
xdotool mouseup 1 sleep 1
shoot 05-dragged
keys Escape Home Right Right Right Right Right Right Right Right
keys ctrl+b
sleep 5
shoot 06-branched
keys 2
sleep 2
read -r word_x word_y _ < <(where "word: hippo" "press Words" "time 0.1")
xdotool mousemove --window "$window" "$word_x" "$word_y"
sleep 3
shoot 07-word
keys 3
sleep 1
read -r compare_x compare_y _ < <(where "Compare them" "press Compare" "time 0.1")
press "$compare_x" "$compare_y"
sleep 3
shoot 08-comparing
sleep 60
shoot 09-compared
keys 1
keys e
sleep 1
check "a picture was exported" test -s sculpt-0001-picture.png
shoot 10-exported
xdotool windowsize "$window" 300 200
sleep 1
shoot 11-smallest
xdotool windowsize "$window" 1400 1000
sleep 1
shoot 12-large
xdotool windowsize "$window" 1280 800
sleep 1
keys r
sleep 0.3
closes "Ctrl+Q during a run closes it" keys ctrl+q

open_window --size 1280x800
keys r
sleep 0.3
closes "SIGTERM, which SDL takes for the close button, during a run" kill $window_process

open_window --size 640x480 --scale 2
sleep 1
shoot 13-double
closes "Ctrl+Q at scale 2" keys ctrl+q
check "nothing was said on stderr" test ! -s stderr

kill $screen
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
