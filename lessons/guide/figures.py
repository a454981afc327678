"""figures.py - every number and picture in the lessons' pages, made anew by the command that stands beside it

    python3 lessons/guide/figures.py PAGE.md...         from the top of the tree; `make lesson-figures` builds first

In a page (a lesson's README.md, lessons/TEACHERS.md), between

    <!-- figure: COMMAND -->
    <!-- end -->

stands a block with the command and what it prints; this script runs the command and puts its output there. Pictures are
`figures/NAME.png`: what a command has written as build/lessons/LESSON/NAME.png is copied to the figures/ beside the page.
tests/lessons/readmes.py runs the same commands and compares.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

BLOCK = re.compile(r"(^<!-- figure: ([^\n]+?) -->\n)(.*?)(^<!-- end -->)", re.DOTALL | re.MULTILINE)
PICTURE = re.compile(r"!\[[^\]]*\]\(figures/([^)]+)\)")
BUILDING = re.compile(r"  (gcc|clang|link) +\S+")  # what the Makefile says of a program that it has to build first
LARGEST_PICTURE, LARGEST_LESSON = 60_000, 200_000  # bytes


def run(command):
    """What a shell command prints where no make stands above it; SystemExit where it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, env=environment)
    if done.returncode:
        raise SystemExit(f"{command}: ended with status {done.returncode}")
    lines = [line.rstrip() for line in done.stdout.split("\n") if not BUILDING.fullmatch(line)]
    return "\n".join(lines).strip("\n")


def block_text(command, output):
    return f"```\n$ {command}\n{output}\n```\n"


def blocks(text):
    """(command, what stands there now) of a page's blocks."""
    return [(match[2], match[3]) for match in BLOCK.finditer(text)]


def made_picture(page, name):
    """Where a demo has put a picture that the lesson's page shows."""
    return pathlib.Path("build/lessons") / page.parent.name / name


def renew(page):
    folder, text = page.parent, page.read_text()
    outputs = {command: run(command) for command, _ in blocks(text)}
    page.write_text(BLOCK.sub(lambda m: m[1] + block_text(m[2], outputs[m[2]]) + m[4], text))

    total = 0
    for name in PICTURE.findall(text):
        made = made_picture(page, name)
        if not made.exists():
            raise SystemExit(f"{page}: no command there has written {made}")
        (folder / "figures").mkdir(exist_ok=True)
        shutil.copyfile(made, folder / "figures" / name)
        total += made.stat().st_size
        if made.stat().st_size > LARGEST_PICTURE:
            raise SystemExit(f"{made}: {made.stat().st_size} bytes, and {LARGEST_PICTURE} are allowed: fewer or smaller pictures")
    if total > LARGEST_LESSON:
        raise SystemExit(f"{folder}: {total} bytes of pictures, and {LARGEST_LESSON} are allowed")
    print(f"{page}: {len(outputs)} outputs, {total} bytes of pictures")


if __name__ == "__main__":
    for path in sys.argv[1:]:
        renew(pathlib.Path(path))
