"""What a drawing can be asked about, as classes that a network can answer with.

A question is (slot, attribute): slot 0 is the only or the left animal, slot 1 the right one. Every question has two more
answers than the painter has values: "absent" where the drawing has no such thing (the right animal of a single one), and
"unreadable", the judge's way to say that it can't tell: a smear is nobody's crown.
"""

ABSENT, UNREADABLE = "absent", "unreadable"
IGNORED = -100  # cross_entropy's ignore_index

SPECIES = ["pygmy hippo", "cat", "dog", "bear", "rabbit", "pig", "frog", "fox", "owl", "penguin", "lion", "mouse"]
COLORS = ["red", "orange", "green", "blue", "purple", "pink", "brown", "grey", "white", "black"]
ANIMAL = {
    "species": SPECIES,
    "color": COLORS,
    "eyewear": ["none", "sunglasses", "round glasses", "eye patch"],
    "headwear": ["none", "top hat", "crown", "party hat", "beanie", "flower"],
    "headwear_color": ["none", "gold"] + COLORS,
    "neckwear": ["none", "bow tie", "scarf"],
    "mood": ["happy", "sad", "surprised"],
}
PICTURE = {
    "kind": ["one", "two", "hand"],
    "scene": ["beach", "night", "forest", "snow", "desert", "city", "space", "plain"],
    "fingers": [str(n) for n in range(1, 11)],
    "color": COLORS,  # the hand's
}

# {"kind": [...], ..., "0.species": [...], "1.mood": [...]}; the two extra answers come last
QUESTIONS = {name: values + [ABSENT, UNREADABLE] for name, values in PICTURE.items()}
QUESTIONS |= {f"{slot}.{name}": values + [ABSENT, UNREADABLE] for slot in (0, 1) for name, values in ANIMAL.items()}


def truth(drawing):
    """The right answer to every question about one line of captions.jsonl: {question: value}."""
    hand = drawing["kind"] == "hand"
    answers = {
        "kind": drawing["kind"],
        "scene": drawing["scene"],
        "fingers": str(drawing["fingers"]) if hand else ABSENT,
        "color": drawing["color"] if hand else ABSENT,
    }
    for slot in (0, 1):
        animal = drawing["animals"][slot] if slot < len(drawing["animals"]) else {}
        for name in ANIMAL:
            answers[f"{slot}.{name}"] = animal.get(name, ABSENT)
    return answers


def classes(answers):
    """Answers as class numbers, in the order of QUESTIONS."""
    return [values.index(answers[question]) for question, values in QUESTIONS.items()]


def swapped(answers):
    """The same picture with left and right exchanged."""
    exchange = {"0": "1", "1": "0"}
    return {(exchange[q[0]] + q[1:] if q[1:2] == "." else q): value for q, value in answers.items()}


def right(answers, wanted, mentions):
    """Is every mentioned attribute as it was asked for? A caption of two animals that doesn't say which is left
    ("relation" is not among its mentions) is right either way round."""
    asked = ["kind"] + [question for question in mentions if question != "relation"]

    def all_right(read):
        return all(read[question] == wanted[question] for question in asked)

    either_way = wanted["kind"] == "two" and "relation" not in mentions
    return all_right(answers) or (either_way and all_right(swapped(answers)))
