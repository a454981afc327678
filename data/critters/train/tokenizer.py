# tokenizer.py - byte-level BPE in CLIP's format, with a small vocabulary of its own, learnt from the captions
#
# Where: between the prompt and the text encoder. CLIP's 49,408 pieces would need more weights than the whole model has.
# Elsewhere: transformers.CLIPTokenizer; openai/CLIP simple_tokenizer.py. Paper: Sennrich et al. 2016 (arXiv 1508.07909).
# Read next: train.py.
#
# The vocabulary, in CLIP's order: 256 byte symbols; the same 256 with </w>, for the end of a word; one piece a merge; the
# two ends. Every string can be written in it, since every byte can. Pad is the end token, as in Stable Diffusion 1.x.
#
#     python tokenizer.py             seconds; writes CACHE/tokenizer in both forms

import json
import re
import shutil
from collections import Counter

from transformers import CLIPTokenizer

from common import load_captions, options

START, END, LENGTH = "<|startoftext|>", "<|endoftext|>", 77
WORD = r"'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^\sa-z0-9]+"         # CLIP's pattern, as far as captions need it


def byte_symbols():
    """GPT-2's printable stand-in for each byte: itself where it is printable, else the next free one from U+0100."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(len(others))]


def learn_merges(words, limit):
    """BPE as in the paper: join the commonest pair of neighbours, again and again. words: Counter of words."""
    pieces = {w: (*w[:-1], w[-1] + "</w>") for w in words}
    merges = []
    while len(merges) < limit:
        pairs = Counter()
        for word, count in words.items():
            for pair in zip(pieces[word], pieces[word][1:]):
                pairs[pair] += count
        if not pairs:
            break                                              # every word is one piece
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        for word, parts in pieces.items():
            joined, i = [], 0
            while i < len(parts):
                pair = parts[i:i + 2]
                joined.append("".join(pair) if pair == best else parts[i])
                i += 2 if pair == best else 1
            pieces[word] = tuple(joined)
    return merges


def build(merges):
    symbols = byte_symbols()
    vocabulary = symbols + [s + "</w>" for s in symbols] + ["".join(m) for m in merges] + [START, END]
    ids = {piece: i for i, piece in enumerate(vocabulary)}
    assert len(ids) == len(vocabulary), "two merges make the same piece"
    return ids


def save(folder, ids, merges):
    """vocab.json + merges.txt, which CLIP came with, and tokenizer.json, which transformers 5 writes; the same tokenizer."""
    shutil.rmtree(folder, ignore_errors=True)
    CLIPTokenizer(vocab=ids, merges=merges, bos_token=START, eos_token=END, unk_token=END, pad_token=END,
                  model_max_length=LENGTH).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(" ".join(m) + "\n" for m in merges))
    (folder / "special_tokens_map.json").write_text(json.dumps(
        {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}, indent=2) + "\n")


def check(folder, texts):
    """Both forms, each alone in a folder, must give the same ids for anything."""
    forms = {"old": ("vocab.json", "merges.txt"), "new": ("tokenizer.json",)}
    loaded = []
    for name, files in forms.items():
        alone = folder.parent / f"tokenizer-{name}"
        shutil.rmtree(alone, ignore_errors=True)
        alone.mkdir()
        for file in (*files, "tokenizer_config.json", "special_tokens_map.json"):
            shutil.copy(folder / file, alone)
        loaded.append(CLIPTokenizer.from_pretrained(alone))
        shutil.rmtree(alone)
    strange = ["", "Zebra, it's 42!", "ÅNGSTRÖM straße", "河马戴墨镜", "бегемот", "🦛🕶️", "a\tb\n\x00c", "x" * 500]
    for text in [*texts, *strange]:
        a, b = (t(text, padding="max_length", truncation=True, max_length=LENGTH).input_ids for t in loaded)
        assert a == b and len(a) == LENGTH, f"{text!r}: {a} and {b}"


def main():
    o = options("learn the tokenizer from the captions", merges=600)
    captions = [text for texts in load_captions(o.cache / "train")[:5000] for text in texts]
    words = Counter(word for text in captions for word in re.findall(WORD, text.lower()))
    merges = learn_merges(words, o.merges)
    ids = build(merges)
    folder = o.cache / "tokenizer"
    save(folder, ids, merges)
    check(folder, captions[:2000])
    print(f"{len(words)} words, {len(merges)} merges, {len(ids)} pieces in {folder}")


if __name__ == "__main__":
    main()
