#!/usr/bin/env python3
"""The full CLIP vocabulary as a tokenizer folder: vocab.json and merges.txt from OpenAI's list of merges.

    python3 data/clip_vocab.py LIST.txt.gz FOLDER
    python3 data/clip_vocab.py open_clip_torch-VERSION.whl FOLDER       (the package has the list in it)

The list (bpe_simple_vocab_16e6.txt.gz of github.com/openai/CLIP) holds more merges than CLIP was trained with. Its
tokenizer takes the first 48,894 and counts the ids up like this: 256 bytes, 256 bytes that end a word, one token a
merge, two specials, 49,408 in all. Needs nothing but Python itself.
"""

import gzip
import json
import pathlib
import sys
import zipfile

MERGES = 49152 - 256 - 2


def byte_alphabet():
    """The character that stands for each byte, printable ones first: the order in which CLIP gave them ids."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]


def read_list(path):
    if not path.endswith(".whl"):
        return gzip.decompress(pathlib.Path(path).read_bytes())
    with zipfile.ZipFile(path) as package:
        return gzip.decompress(package.read("open_clip/bpe_simple_vocab_16e6.txt.gz"))


def main():
    list_path, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    lines = read_list(list_path).decode("utf-8").split("\n")
    merges = lines[1 : 1 + MERGES]  # the first line is a version

    tokens = byte_alphabet()
    tokens += [token + "</w>" for token in tokens]
    tokens += [merge.replace(" ", "") for merge in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    assert len(tokens) == len(set(tokens)) == 49408

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: index for index, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


main()
