"""png.py - 8-bit RGB PNGs, as Sculpt writes them, without a library"""

import struct
import zlib


def read(path):
    """(width, height, rows of bytes)"""
    data = open(path, "rb").read()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError(f"{path}: no PNG")
    at, packed, header = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", data[at + 8 : at + 8 + length])
        if kind == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += length + 12
    width, height = header[:2]
    if header[2:4] != (8, 2):
        raise ValueError(f"{path}: not 8-bit RGB")
    return width, height, unfilter(zlib.decompress(packed), 3 * width, height)


def unfilter(raw, stride, height):
    rows, above = [], bytearray(stride)
    for y in range(height):
        kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for x in range(stride):
            a, b = row[x - 3] if x >= 3 else 0, above[x]
            c = above[x - 3] if x >= 3 else 0
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            row[x] = (row[x] + (0, a, b, (a + b) // 2, nearest)[kind]) % 256
        rows.append(row)
        above = row
    return rows


def mean_difference(path, other):
    """Of two pictures' bytes; infinity where their sizes differ."""
    width, height, rows = read(path)
    other_width, other_height, other_rows = read(other)
    if (width, height) != (other_width, other_height):
        return float("inf")
    return sum(abs(p - q) for a, b in zip(rows, other_rows) for p, q in zip(a, b)) / (3 * width * height)
