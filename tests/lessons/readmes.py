"""readmes.py - nothing in a lesson's README is stale: what its commands print and draw, and every name that it speaks of

    python3 tests/lessons/readmes.py        from the top of the tree, with everything built; the lessons in
                                            LESSON_NAMES, or all

Other processors round otherwise, so numbers may differ by a few percent, and pictures a little. A number behind a ~ is a
measurement of this machine: it may be any other.
"""

import os
import pathlib
import re
import sys

sys.path.insert(0, "lessons/guide")
import figures
import png

PARTS = ["README.md", "demo.c", "exercise.h", "exercise.c", "check.c", "solution.c", "hints.txt", "mutants.txt"]
MAY_DIFFER = 0.05  # of a number
PICTURES_MAY_DIFFER = 4  # of 255, on average
SANITIZED = "-fsanitize" in os.environ.get("LESSON_COMPILE", "")
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")

MEASURED = re.compile(r"~\s*" + NUMBER.pattern)


def numbers_alike(a, b):
    digits = len(a.partition(".")[2]) if "e" not in a else 0
    last_digit = 0 if "e" in a else 10.0**-digits
    return abs(float(a) - float(b)) <= MAY_DIFFER * max(abs(float(a)), abs(float(b))) + 1.01 * last_digit


def text_alike(now, then):
    now, then = MEASURED.sub("~", now), MEASURED.sub("~", then)
    if NUMBER.sub("#", now).split() != NUMBER.sub("#", then).split():
        return False
    return all(numbers_alike(a, b) for a, b in zip(NUMBER.findall(now), NUMBER.findall(then)))


def stale_figures(lesson):
    folder = pathlib.Path("lessons") / lesson
    text = (folder / "README.md").read_text()
    blocks = figures.blocks(text)
    if not blocks:
        yield "no command stands beside its numbers"
    for command, there in blocks:
        made = figures.block_text(command, figures.run(command))
        if not text_alike(made, there):
            yield f"`{command}` now prints\n{made}"
    for name in figures.PICTURE.findall(text):
        made, kept = figures.made_picture(lesson, name), folder / "figures" / name
        if not kept.exists() or not made.exists():
            yield f"figures/{name} is missing, or no command makes it"
        elif png.mean_difference(made, kept) > PICTURES_MAY_DIFFER:
            yield f"figures/{name} now looks otherwise: see {made}"


SOURCES = {path: path.read_text() for folder in ("core", "lessons", "data/critters", "viz")
           for path in pathlib.Path(folder).rglob("*.[ch]")}


def unknown_names(lesson):
    """What a README puts between backticks, or links to, and nobody finds."""
    folder = pathlib.Path("lessons") / lesson
    text = re.sub(r"```.*?```", "", (folder / "README.md").read_text(), flags=re.DOTALL)
    for name in re.findall(r"`([a-z_0-9]+)\(\)`", text):
        if not any(re.search(rf"\b{name}\(", source) for source in SOURCES.values()):
            yield f"there is no function `{name}()`"
    paths = re.findall(r"`((?:[\w.-]+/)*[\w.-]+\.(?:c|h|md|py|sh|txt|png))`", text)
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    for path in paths + links:
        places = (folder, pathlib.Path("."), pathlib.Path("core"), pathlib.Path("build/lessons") / lesson)
        if not any((place / path).exists() for place in places):
            yield f"there is no file {path}"


def missing_parts(lesson):
    return [f"there is no {part}" for part in PARTS if not (pathlib.Path("lessons") / lesson / part).exists()]


def report(name, problems):
    problems = list(problems)
    print(f"{'FAIL' if problems else 'ok  '} {name}", *problems, sep="\n    ", flush=True)
    return not problems


def main():
    lessons = os.environ.get("LESSON_NAMES", "").split() or sorted(path.name for path in pathlib.Path("lessons").glob("[0-9][0-9]-*"))
    results = []
    for lesson in lessons:
        results.append(report(f"{lesson}: has its parts", missing_parts(lesson)))
        if results[-1]:
            results.append(report(f"{lesson}: names what is there", unknown_names(lesson)))
        if results[-1] and not SANITIZED:
            results.append(report(f"{lesson}: shows what its commands make", stale_figures(lesson)))
    if SANITIZED:
        print("skip what commands make: demos take minutes with sanitizers, and the numbers are the same")
    failed = results.count(False)
    print(f"{len(results) - failed} passed, {failed} failed, {int(SANITIZED)} skipped")
    return failed > 0 or not results


if __name__ == "__main__":
    sys.exit(main())
