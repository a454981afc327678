"""readmes.py - nothing in the lessons' pages is stale: what their commands print and draw, and every name they speak of

    python3 tests/lessons/readmes.py        from the top of the tree, with everything built; the lessons in
                                            LESSON_NAMES, or all, and the pages beside them

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
PAGES = ["README.md", "lessons/*.md", "lessons/*/README.md", "data/critters/README.md"]
PLACES = [pathlib.Path(place) for place in (".", "core", "core/ops", "lessons/04-ddim")]  # the last stands for every lesson
LESSONS = [path.name for path in sorted(pathlib.Path("lessons").glob("[0-9][0-9]-*"))]
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


def stale_figures(page):
    text = page.read_text()
    for command, there in figures.blocks(text):
        made = figures.block_text(command, figures.run(command))
        if not text_alike(made, there):
            yield f"`{command}` now prints\n{made}"
    for name in figures.PICTURE.findall(text):
        made, kept = figures.made_picture(page, name), page.parent / "figures" / name
        if not kept.exists() or not made.exists():
            yield f"figures/{name} is missing, or no command makes it"
        elif png.mean_difference(made, kept) > PICTURES_MAY_DIFFER:
            yield f"figures/{name} now looks otherwise: see {made}"


SOURCES = {path: path.read_text() for folder in ("core", "lessons", "data/critters", "viz")
           for path in pathlib.Path(folder).rglob("*.[ch]")}


def unknown_names(page):
    """What a page puts between backticks, or links to, and nobody finds."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for name in re.findall(r"`([a-z_0-9]+)\(\)`", text):
        if not any(re.search(rf"\b{name}\(", source) for source in SOURCES.values()):
            yield f"there is no function `{name}()`"
    kinds = "c|h|md|py|sh|txt|png" if page.parent.name in LESSONS else "c|h|md|py|sh"  # what a command writes isn't there
    paths = re.findall(rf"`((?:[\w.-]+/)*[\w.-]+\.(?:{kinds}))`", text)
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    placeholders = [path for path in paths if pathlib.Path(path).stem.isupper() and not path.endswith(".md")]  # OP.c
    for path in sorted({*paths, *links} - {*placeholders}):
        if not any((place / path).exists() for place in (page.parent, *PLACES, pathlib.Path("build/lessons") / page.parent.name)):
            yield f"there is no file {path}"


def missing_parts(page):
    """Of a lesson, which has more to it than its page."""
    yield from (f"there is no {part}" for part in PARTS if not (page.parent / part).exists())
    if page.exists() and not figures.blocks(page.read_text()):
        yield "no command stands beside its numbers"


def report(name, problems):
    problems = list(problems)
    print(f"{'FAIL' if problems else 'ok  '} {name}", *problems, sep="\n    ", flush=True)
    return not problems


def main():
    names = os.environ.get("LESSON_NAMES", "").split()
    lessons = [pathlib.Path("lessons") / lesson / "README.md" for lesson in LESSONS]
    asked = [page for page in lessons if not names or page.parent.name in names]
    others = [page for place in PAGES for page in sorted(pathlib.Path(".").glob(place)) if page not in lessons]
    results = [report(f"{page}: the lesson has its parts", missing_parts(page)) for page in asked]
    for page in asked + (others if asked == lessons else []):
        results.append(report(f"{page}: names what is there", unknown_names(page)))
        if figures.blocks(page.read_text()) and not SANITIZED:
            results.append(report(f"{page}: shows what its commands make", stale_figures(page)))
    if SANITIZED:
        print("skip what commands make: demos take minutes with sanitizers, and the numbers are the same")
    failed = results.count(False)
    print(f"{len(results) - failed} passed, {failed} failed, {int(SANITIZED)} skipped")
    return failed > 0 or not results


if __name__ == "__main__":
    sys.exit(main())
