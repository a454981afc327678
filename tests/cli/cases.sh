# cases.sh - what the tests of the command share: cases, expectations, and how a refusal must look
#
# To be sourced from the top of the tree by a script that says which `cases` there are and ends with `run_cases`. SCULPT
# names the program. A case is a function, run in a fresh folder of its own: $work/NAME. Most use the small random-weight
# model of the goldens: what it draws is noise, but drawn in a tenth of a second.

sculpt=${SCULPT:-$PWD/sculpt}
program=sculpt  # the one that refuses and accepts, as its errors begin
tree=$PWD
work=$PWD/build/tmp/$(basename "$0" .sh)
rm -rf "$work" && mkdir -p "$work" || exit 1
model=$PWD/tests/golden/runs/sd1
stages=$PWD/tests/golden/stages

passed=0 failed=0 problems=""

problem() { problems+="    $1"$'\n'; }

# The case's name is its function's. A case runs in a fresh folder of its own.
run_case() {
    problems=""
    mkdir -p "$work/$1" && cd "$work/$1" || exit 1
    "$1"
    if [ -z "$problems" ]; then
        echo "ok   $1" && passed=$((passed + 1))
    else
        echo "FAIL $1" && printf '%s' "$problems" && failed=$((failed + 1))
    fi
    cd "$work" || exit 1
}

# refuses STATUS PATTERN ARGUMENT...: ends with this status, says why in one line on stderr that holds PATTERN, prints
# nothing and writes nothing.
refuses() {
    local wanted=$1 pattern=$2 before after status
    shift 2
    before=$(find . | sort)
    timeout 300 "$sculpt" "$@" >"$work/stdout" 2>"$work/stderr" </dev/null
    status=$?
    after=$(find . | sort)
    local said
    said=$(grep -v "^$program: " "$work/stderr" | grep -v "$cost_lines")
    said+=$(grep "^$program: " "$work/stderr")
    local call="$program $*"
    call=${call:0:120}
    [ "$status" = "$wanted" ] || problem "$call: status $status, not $wanted: ${said:0:200}"
    [[ $said == $program:\ *:*\;* ]] || problem "$call: not \"$program: what: why; what to do\": ${said:0:200}"
    [ "$(wc -l <<<"$said")" = 1 ] || problem "$call: not one line: ${said:0:300}"
    [[ $said == *$pattern* ]] || problem "$call: nothing about \"$pattern\": ${said:0:200}"
    [ ! -s "$work/stdout" ] || problem "$call: printed something"
    [ "$before" = "$after" ] || problem "$call: left files behind: $(comm -13 <(echo "$before") <(echo "$after") | tr '\n' ' ')"
}
cost_lines='^exact: \|parameters\.\|FLOP in all\|steps_offset\|clip_sample\|the model never sees\|^strength \|^mask: \|^lora '

# accepts ARGUMENT...: ends with status 0
accepts() {
    timeout 300 "$sculpt" "$@" >"$work/stdout" 2>"$work/stderr" </dev/null || problem "$program $*: $(tail -n 1 "$work/stderr")"
}

# says JQ-EXPRESSION VALUE: what the file `object`, JSON, says there
says() { expect "$1" "$(jq -c "$1" object)" "$2"; }

# holds JQ-EXPRESSION: that this is true of `object`
holds() { jq -e "$1" object >/dev/null || problem "not so: $1 in $(head -c 1500 object)"; }

expect() { [ "$2" = "$3" ] || problem "$1: \"${2:0:200}\", not \"${3:0:200}\""; }

draw() { accepts "$@" -m "$model" -s 2 --seed 1; }

# trace_header FILE: the JSON text at its beginning
trace_header() { tail -c +9 "$1" | head -c "$(od -An -t u8 -N 8 "$1" | tr -d ' ')"; }

# trace_pixels FILE: the picture in a trace, a number a line
trace_pixels() {
    local begin end
    read -r begin end < <(trace_header "$1" | jq -r '.image.data_offsets | @tsv')
    tail -c +9 "$1" | tail -c +$(($(trace_header "$1" | wc -c) + begin + 1)) | head -c $((end - begin)) | od -An -v -t f4 -w4
}

run_cases() {
    local case
    for case in "${cases[@]}"; do run_case "$case"; done
    echo "$passed passed, $failed failed, 0 skipped"
    [ "$failed" = 0 ]
}
