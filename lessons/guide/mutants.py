"""mutants.py - the wrong answers that the lessons' checks are tested with, counted

    python3 lessons/guide/mutants.py            from the top of the tree: how many a lesson has, and sentences for them
    python3 lessons/guide/mutants.py 04-ddim    each of a lesson's, and what is said to it (part of the sentence)

tests/lessons/test_lessons.sh hands every one of them to its check and looks for its sentence.
"""

import pathlib
import sys


def mutants(lesson):
    """(name, sentence) of each wrong answer in a lesson's mutants.txt."""
    name, found = None, []
    for line in (pathlib.Path("lessons") / lesson / "mutants.txt").read_text().splitlines():
        if line.startswith("= "):
            found.append((name, line[2:]))
        elif line and line[0] not in "#-+":
            name = line
    return found


def print_counts():
    print(f"{'lesson':20} wrong answers   sentences")
    total, sentences = 0, set()
    for path in sorted(pathlib.Path("lessons").glob("[0-9][0-9]-*/mutants.txt")):
        lesson = path.parent.name
        of_lesson = mutants(lesson)
        said = {(lesson, sentence) for _, sentence in of_lesson}
        print(f"{lesson:20} {len(of_lesson):13} {len(said):11}")
        total, sentences = total + len(of_lesson), sentences | said
    print(f"{'all':20} {total:13} {len(sentences):11}")


if __name__ == "__main__":
    for lesson in sys.argv[1:]:
        for name, sentence in mutants(lesson):
            print(f"{name:32} {sentence}")
    if len(sys.argv) == 1:
        print_counts()
