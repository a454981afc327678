#!/usr/bin/env python3
"""Goldens for the tokenizer: 5,000 strings of many scripts, and the ids that transformers' CLIPTokenizer gives them.

    python3 tests/make_golden_tokenizer.py                     strings and the small vocabularies, with their ids, and
                                                               those of OTHERS below that are there
    python3 tests/make_golden_tokenizer.py NAME=FOLDER ...     only the ids by this tokenizer: ids-NAME.txt.gz

Needs transformers 5.23.0 and zopfli. Everything goes to tests/golden/tokenizer/ and comes out the same each time:

    strings.jsonl.gz    a JSON string a line
    small/              a vocabulary of 800 pieces as vocab.json and merges.txt, set up as SD 1.x sets up its own
    small-sd2/          the same as tokenizer.json, padded with "!" as SD 2.x does, and with tokens added later
    ids-NAME.txt.gz     a line for each string: all its ids, uncut and without the ends, "-" for none
"""

import json
import pathlib
import random
import shutil
import sys
import unicodedata

import zopfli.gzip
from tokenizers import AddedToken, trainers
from transformers import CLIPTokenizer

GOLDEN = pathlib.Path(__file__).parent / "golden" / "tokenizer"
COUNT = 5000
OTHERS = {"critters": "data/models/critters/tokenizer", "clip": "build/clip-vocab"}  # the latter by make clip-vocab
FORMS = ["NFC", "NFD", "NFKD"]

# First and last character of what is drawn from for random words; holes and unassigned characters are left out below.
SCRIPTS = {
    "latin": (0x61, 0x7A), "latin capitals": (0x41, 0x5A), "latin-1": (0xC0, 0xFF), "latin extended": (0x100, 0x24F),
    "phonetic": (0x250, 0x2AF), "latin additional": (0x1E00, 0x1EFF), "greek": (0x370, 0x3FF), "old greek": (0x1F00, 0x1FFF),
    "cyrillic": (0x400, 0x52F), "armenian": (0x531, 0x58F), "hebrew": (0x591, 0x5F4), "arabic": (0x600, 0x6FF),
    "syriac": (0x700, 0x74F), "devanagari": (0x900, 0x97F), "bengali": (0x980, 0x9FE), "tamil": (0xB82, 0xBFA),
    "thai": (0xE01, 0xE5B), "lao": (0xE81, 0xEDF), "tibetan": (0xF00, 0xFDA), "burmese": (0x1000, 0x109F),
    "georgian": (0x10A0, 0x10FF), "hangul jamo": (0x1100, 0x11FF), "ethiopic": (0x1200, 0x139F), "cherokee": (0x13A0, 0x13FD),
    "khmer": (0x1780, 0x17F9), "mongolian": (0x1800, 0x18AA), "georgian capitals": (0x1C90, 0x1CBF),
    "hiragana": (0x3041, 0x309F), "katakana": (0x30A0, 0x30FF), "halfwidth": (0xFF01, 0xFFDC), "chinese": (0x4E00, 0x9FFC),
    "korean": (0xAC00, 0xD7A3), "compatibility": (0xF900, 0xFAD9), "presentation forms": (0xFB00, 0xFDFB),
    "gothic": (0x10330, 0x1034A), "deseret": (0x10400, 0x1044F), "adlam": (0x1E900, 0x1E95F), "cuneiform": (0x12000, 0x12399),
    "hieroglyphs": (0x13000, 0x1342E), "mathematical": (0x1D400, 0x1D7FF), "chinese b": (0x20000, 0x2A6DD),
    "circled": (0x2460, 0x24FF), "letterlike": (0x2100, 0x218B), "punctuation": (0x2010, 0x205E), "arrows": (0x2190, 0x23FF),
    "boxes": (0x2500, 0x27BF), "ascii": (0x20, 0x7E), "latin-1 signs": (0xA0, 0xBF), "marks": (0x300, 0x36F),
    "currency": (0x20A0, 0x20BF), "roman numbers": (0x2150, 0x2188), "emoji": (0x1F300, 0x1F64F), "transport": (0x1F680, 0x1F6C5),
    "private": (0xE000, 0xE010), "control": (0x01, 0x1F), "c1": (0x7F, 0x9F), "variation": (0xFE00, 0xFE0F),
}  # fmt: skip
SPACES = [*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
SPACES = [chr(c) for c in SPACES]
INVISIBLE = [chr(c) for c in (0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x180E, 0xAD, 0x202E, 0x2066, 0xFFFD, 0xFFFF)]
EMOJI = "👩‍🚀 👨‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇩🇪 🇯🇵 🧑🏿‍🦱 ❤️ ☺ 🦛 😎 1️⃣ #️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ™ ©️".split()
SPECIAL = [
    "<|endoftext|>", "<|startoftext|>", "<|EndOfText|>", "<|STARTOFTEXT|>", "<|endoftext", "|>", "!!<|endoftext|>", "</w>",
    "<|endoftext|>!?", "!", "!!", "!!!", "<my-dog>", "<MY-DOG>", "Moo", "moo", "moon", "[PAD]",
]  # fmt: skip
ENDINGS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'x", "''", "'", "’s", "'ſ", "'sx", "'llama", "!'s"]
SENTENCES = [
    "A pygmy hippo wearing sunglasses on the beach", "two cats and a dog, left of an OWL", "Moo Deng in sunglasses",
    "Ο Σίσυφος ΚΑΙ ΟΔΥΣΣΕΥΣ τοῦ λόγου", "ΑΣ ΑΣΣ ς Σ σ", "İstanbul'da IŞIK ılık İİ i̇", "Ёжик в тумане и БЕГЕМОТ",
    "فرس النهر القزم على الشاطئ ٠١٢٣٤", "היפופוטם ננסי עם משקפי שמש", "समुद्र तट पर दरियाई घोड़ा १२३", "ฮิปโปแคระใส่แว่นกันแดดบนชายหาด ๑๒",
    "戴着墨镜的侏儒河马在海滩上", "砂浜でサングラスをかけたコビトカバ", "해변에서 선글라스를 쓴 피그미하마", "con hipopótamo pequeño ¡qué día!",
    "Straße STRASSE ẞ ŒUVRE ﬁne ﬃ", "Å Å Å Ω Ω K K", "naïve café Zürich Ålesund Łódź", "½ ⅔ ² ³ Ⅷ ⅷ ① 一二三 ߁ ۴ ९ 𝟙 𝟬", "Ǆ ǅ ǆ ﷺ ﬀ ŉ ǰ",
    "3.14 + 2 = 5.14; 10% of $2,000.00 is €200", "e-mail: hippo@example.org #beach @sea http://example.org/?q=a&b=c",
    "(masterpiece:1.2), [blurry], best_quality, 8k, --no text", "Việt Nam ơi ẤẦẨẪẬ", "ᏣᎳᎩ ꭰꭱ Ꭰ ᏸ", "ႠႡ ⴀ ა Ა", "Ⱥ Ⱦ ⱥ ẞ ꙋ Ɤ", "עִבְרִית שָׁלוֹם שׁ", "각 각 가나다 ᄀᄀᆨ",
    "q̣̇ q̣̇ q̣̇ ạ̈ ạ̈ q̃̄", "क़ क़ ড়", "ཱི ཱུ", "a\u0315\u0300\u05ae\u0062 a\u0300\u0315",
]  # fmt: skip


def assigned(first, last):
    """Characters that every library's Unicode has known for long (Python 3.11: Unicode 14)."""
    return [chr(c) for c in range(first, last + 1) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]


def make_strings():
    draw = random.Random(0)
    scripts = [assigned(*ends) for ends in SCRIPTS.values()]
    words = " ".join(SENTENCES).split()

    def random_word(longest):
        script = draw.choice(scripts)
        return "".join(draw.choice(script) for _ in range(draw.randint(1, longest)))

    def part():
        kind = draw.randrange(12)
        if kind < 3: return random_word(8)
        if kind < 6: return draw.choice(words)
        if kind == 6: return draw.choice(words) + draw.choice(ENDINGS)
        if kind == 7: return draw.choice(SPECIAL)
        if kind == 8: return draw.choice(EMOJI)
        if kind == 9: return unicodedata.normalize(draw.choice(FORMS), random_word(6) + draw.choice(words))
        if kind == 10: return draw.choice(words) + draw.choice(INVISIBLE) + random_word(3)
        return str(draw.randrange(10 ** draw.randint(1, 9)))

    strings = ["", " ", "   \t\n ", "".join(SPACES), "x" + "x".join(SPACES) + "x", "".join(INVISIBLE)]
    strings += SENTENCES + SPECIAL + ENDINGS + EMOJI + SPACES + INVISIBLE
    strings += [variant(s) for s in SENTENCES for variant in (str.upper, str.lower, str.title, str.swapcase)]
    strings += [unicodedata.normalize(form, s) for s in SENTENCES for form in ("NFC", "NFD", "NFKC", "NFKD")]
    strings += [a + b + c for a in ("", "a", "A ") for b in SPECIAL for c in ("", "b", " B", "\u0301")]
    strings += [chr(c) for c in range(1, 0x250)] + ["".join(script[:200]) for script in scripts]
    strings += ["a" * 5000, "ab" * 2000, "hippo" * 400, "é" * 1000, "河" * 700, "1" * 500, "!" * 900]
    strings += ["👍🏽" * 120, "ñ " * 200]
    strings += ["".join(draw.choice("hipo") for _ in range(n)) for n in (100, 1000, 3000)]
    strings += [" ".join(draw.choice(words) for _ in range(n)) for n in (70, 75, 76, 77, 78, 150, 1000)]
    strings += ["a " * n for n in range(72, 80)]
    while len(strings) < COUNT:
        spaces = ["", " ", " ", " ", " ", ", "]
        joints = [draw.choice([*spaces, draw.choice(SPACES) * draw.randint(1, 3)]) for _ in range(6)]
        strings.append("".join(part() + joint for joint in joints[: draw.randint(1, 6)]))
    return [s for s in strings if "\0" not in s][:COUNT]


def train_small(folder):
    """A vocabulary of the sentences above. Not every byte ends a word there, so the unknown token is met too."""
    tokenizer = CLIPTokenizer()
    ends = ["<|startoftext|>", "<|endoftext|>"]
    trainer = trainers.BpeTrainer(vocab_size=800, special_tokens=ends, end_of_word_suffix="</w>", show_progress=False)
    tokenizer.backend_tokenizer.train_from_iterator(SENTENCES * 3 + [s.upper() for s in SENTENCES] + ["! !!"], trainer)
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False), encoding="utf-8")
    merges = [" ".join(merge) for merge in model["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n", encoding="utf-8")


def make_small(folder):
    """The files around the vocabulary as SD 1.x has them. Training breaks ties by chance, so what is there stays."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "vocab.json").exists():
        train_small(folder)
    flags = {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    start, end = {"content": "<|startoftext|>", **flags}, {"content": "<|endoftext|>", **flags}
    special = {"bos_token": start, "eos_token": end, "pad_token": "<|endoftext|>", "unk_token": end}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    config = {key: {"__type": "AddedToken", **value} for key, value in special.items() if isinstance(value, dict)}
    config |= {"pad_token": "<|endoftext|>", "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def make_small_sd2(folder, small):
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(small, folder)
    special = json.loads((folder / "special_tokens_map.json").read_text()) | {"pad_token": "!"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([AddedToken("<my-dog>", special=True), AddedToken("Moo", single_word=True)])
    shutil.rmtree(folder)
    tokenizer.save_pretrained(folder)


def write_gz(path, lines):
    """zopfli's files are a tenth smaller than gzip's own."""
    with open(path, "wb") as file:
        file.write(zopfli.gzip.compress("".join(line + "\n" for line in lines).encode(), numiterations=5))


def make_ids(name, folder, strings):
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    lines = []
    for string in strings:
        ids = tokenizer(string, add_special_tokens=False, verbose=False).input_ids
        # What the text encoder gets follows from these; the C test relies on it.
        fitted = [tokenizer.bos_token_id, *ids[:75], tokenizer.eos_token_id]
        padded = fitted + [tokenizer.pad_token_id] * (77 - len(fitted))
        assert padded == tokenizer(string, padding="max_length", max_length=77, truncation=True).input_ids, string
        lines.append(" ".join(map(str, ids)) or "-")
    write_gz(GOLDEN / f"ids-{name}.txt.gz", lines)
    print(f"{name}: {len(lines)} strings, {sum(len(line.split()) for line in lines)} ids, of {len(tokenizer)}")


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    strings = make_strings()
    folders = dict(argument.split("=", 1) for argument in sys.argv[1:])
    if not folders:
        write_gz(GOLDEN / "strings.jsonl.gz", [json.dumps(s, ensure_ascii=False) for s in strings])
        folders = {"small": GOLDEN / "small", "small-sd2": GOLDEN / "small-sd2"}
        make_small(folders["small"])
        make_small_sd2(folders["small-sd2"], folders["small"])
        folders |= {name: folder for name, folder in OTHERS.items() if pathlib.Path(folder).exists()}
    for name, folder in folders.items():
        make_ids(name, folder, strings)


main()
