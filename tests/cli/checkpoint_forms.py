"""A model's weights in other forms, for the tests of the command. Python's standard library is enough.

    python3 checkpoint_forms.py parts FILE.safetensors FOLDER STEM [VARIANT]   in two files with an index
    python3 checkpoint_forms.py names FILE.safetensors NAME...                 a file of tensors [1] with these names
    python3 checkpoint_forms.py pixels FILE.png                                the picture without what is told about it
    python3 checkpoint_forms.py holes SHAPES.txt.gz FILE.safetensors DTYPE     a file of that list, its numbers unwritten
"""

import gzip
import json
import math
import struct
import sys
from pathlib import Path


def read(path):
    """[(name, entry, bytes)] in the file's order."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    entries = sorted(header.items(), key=lambda item: item[1]["data_offsets"])
    return [(name, entry, data[8 + length:][slice(*entry["data_offsets"])]) for name, entry in entries]


def write(path, tensors):
    header, at = {}, 0
    for name, entry, data in tensors:
        header[name] = {"dtype": entry["dtype"], "shape": entry["shape"], "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors))


def parts(source, folder, stem, variant=None):
    tensors = read(source)
    middle, dot = len(tensors) // 2, f".{variant}" if variant else ""
    weight_map = {}
    for number, part in enumerate((tensors[:middle], tensors[middle:]), start=1):
        name = f"{stem}{dot}-{number:05}-of-00002.safetensors"
        write(f"{folder}/{name}", part)
        weight_map |= {tensor: name for tensor, _, _ in part}
    index = {"metadata": {}, "weight_map": weight_map}
    Path(f"{folder}/{stem}.safetensors.index{dot}.json").write_text(json.dumps(index))


def names(path, *names):
    write(path, [(name, {"dtype": "F32", "shape": [1]}, bytes(4)) for name in names])


def pixels(path):
    data, at = Path(path).read_bytes(), 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at:at + 4])
        if data[at + 4:at + 8] in (b"IHDR", b"IDAT"):
            sys.stdout.buffer.write(data[at + 8:at + 8 + length])
        at += 12 + length


def holes(shapes, path, dtype):
    header, at = {}, 0
    for line in gzip.open(shapes, "rt"):
        name, *shape = line.split()
        shape = [int(axis) for axis in shape]
        size = math.prod(shape) * {"F32": 4, "F16": 2, "BF16": 2}[dtype]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)


{"parts": parts, "names": names, "pixels": pixels, "holes": holes}[sys.argv[1]](*sys.argv[2:])
