#!/bin/bash
# figures.sh - makes the pictures of README.md anew, by the commands that stand there; from the top of the tree

work=$(mktemp -d) && trap 'rm -r "$work"' EXIT
mkdir -p lessons/lab/figures

# figure NAME OP SED: a template with one change, as what it draws
figure() {
    sed "$3" "lessons/lab/$2.c" >"$work/$1.c"
    cmp -s "lessons/lab/$2.c" "$work/$1.c" && { echo "$1: nothing was changed" >&2; exit 1; }
    ./sculpt lab "$2" "$work/$1.c" -o "$work/$1.png"
    mv "$work/$1.png" "lessons/lab/figures/$1.png"
}

figure on-its-side conv2d 's/+ ky) \* s.K + kx\]/+ kx) * s.K + ky]/'
figure deaf attention 's/p\[j\] = (float)(exp(p\[j\] - largest) \/ sum)/p[j] = 1.0f \/ (float)visible/'
./sculpt lab conv2d lessons/lab/conv2d.c -o "$work/lab.png"
mv "$work/lab-roofline.png" lessons/lab/figures/roofline.png
