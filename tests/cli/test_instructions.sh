#!/bin/bash
# test_instructions.sh - machines that lack wide instructions, as SCULPT_INSTRUCTIONS makes this one look like them

source tests/cli/cases.sh
critters=$tree/data/models/critters

# farthest A B: how far two traces' pictures are apart at most, of 1
farthest() {
    python3 - "$1" "$2" <<'PYTHON'
import json, struct, sys
def image(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    start, end = json.loads(data[8:8 + size])["image"]["data_offsets"]
    return struct.unpack(f"<{(end - start) // 4}f", data[8 + size + start:8 + size + end])
print(max(abs(a - b) for a, b in zip(image(sys.argv[1]), image(sys.argv[2]), strict=True)))
PYTHON
}

# The fast kernels, in each machine's own form; and whatever is the default there.
pictures_agree() {
    local level fast="--kernel conv2d=winograd --kernel linear=packed --kernel attention=flash"
    accepts "a red cat" -m "$critters" --seed 1 -s 3 --kernel conv2d=blas --kernel linear=blas --kernel attention=blas --trace blas.safetensors
    for level in plain avx2 avx512; do
        export SCULPT_INSTRUCTIONS=$level
        accepts "a red cat" -m "$critters" --seed 1 -s 3 --trace default-$level.safetensors
        # shellcheck disable=SC2086
        accepts "a red cat" -m "$critters" --seed 1 -s 3 $fast --trace fast-$level.safetensors
        accepts "a red cat" -m "$critters" --seed 1 -s 3 --precision bf16 --trace bf16-$level.safetensors
        unset SCULPT_INSTRUCTIONS
        for trace in default fast; do
            python3 -c "assert $(farthest blas.safetensors $trace-$level.safetensors) < 1e-3" 2>/dev/null ||
                problem "$trace, $level: $(farthest blas.safetensors $trace-$level.safetensors) from blas"
        done
        python3 -c "assert $(farthest blas.safetensors bf16-$level.safetensors) < 0.4" 2>/dev/null ||
            problem "bf16, $level: $(farthest blas.safetensors bf16-$level.safetensors) from f32"
    done
}

defaults() {
    export SCULPT_INSTRUCTIONS=plain
    accepts kernels
    unset SCULPT_INSTRUCTIONS
    grep -q "^ *\* *blas " "$work/stdout" || problem "blas isn't the default of a plain machine"
    grep -q "^ *- *avx2 " "$work/stdout" || problem "a plain machine is said to run avx2"
}

unknown() {
    export SCULPT_INSTRUCTIONS=mmx
    refuses 2 "there is no such level" kernels
    export SCULPT_INSTRUCTIONS=
    accepts kernels
    unset SCULPT_INSTRUCTIONS
}

cases=(pictures_agree defaults unknown)
run_cases
