"""The templates of the lab, OP.c for every op: the definition as it stands in core/ops, as a file of its own.

    python3 lessons/lab/templates.py            writes them anew
    python3 lessons/lab/templates.py --check    says which of them aren't what would be written; status 1 if any

So there is one place where a definition is written, and a template can't fall behind it. scheduler.c isn't made by this.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPS = ROOT / "core/ops"

# The op, where its definition stands, and what else the definition calls, of that file or of another
TEMPLATES = [
    ("conv2d", "conv2d.c", []),
    ("linear", "linear.c", []),
    ("attention", "attention.c", ["visible_keys", "probabilities_naive", "attention_naive_scratch_size"]),
    ("group_norm", "norm.c", []),
    ("group_norm_silu", "norm.c", ["group_norm_naive", "activation.c silu_naive"]),
    ("layer_norm", "norm.c", []),
    ("silu", "activation.c", []),
    ("gelu", "activation.c", ["gelu_of"]),
    ("quick_gelu", "activation.c", []),
    ("relu", "activation.c", []),
    ("tanh", "activation.c", []),
    ("geglu", "activation.c", ["gelu_of"]),
    ("add", "shape.c", []),
    ("add_per_channel", "shape.c", []),
    ("scale_shift", "shape.c", []),
    ("concat_channels", "shape.c", []),
    ("pad_right_bottom", "shape.c", []),
    ("upsample_nearest", "shape.c", []),
    ("image_to_tokens", "shape.c", []),
    ("tokens_to_image", "shape.c", []),
    ("embedding", "embedding.c", []),
    ("timestep_embedding", "embedding.c", []),
    ("guidance_embedding", "embedding.c", []),
]


def function(text, name):
    """The function of this name, with the comment that stands directly above it."""
    found = re.search(rf"((?://[^\n]*\n)*)^[a-z][^\n;=]*\b{name}\((?:[^;{{}}]*?)\) \{{(?:[^\n]*\}}\n|.*?\n\}}\n)", text, re.M | re.S)
    if not found:
        sys.exit(f"templates.py: there is no function {name}")
    return found.group(0)


def mathematics(text, at):
    """The comments between the section's heading, the last before this place, and the first code behind it."""
    heading = [m for m in re.finditer(r"^// ----[^\n]*\n", text, re.M) if m.start() < at][-1]
    lines = text[heading.end():at].split("\n")
    comment = []
    for line in lines:
        if line and not line.startswith("//"):
            break
        comment.append(line)
    title = heading.group(0).strip("/- \n").strip()
    return (f"// {title}\n" + "\n".join(comment)).rstrip() + "\n"


def signature(found):
    """The function's first line, broken as clang-format breaks it."""
    words, lines = re.sub(r"\s+", " ", found.group(0)), []
    indent = words.index("(") + 1
    while len(words) > 120:
        at = words.rindex(", ", 0, 119) + 1
        lines, words = [*lines, words[:at]], " " * indent + words[at + 1:]
    return "\n".join([*lines, words])


def template(op, file, others):
    text = (OPS / file).read_text()
    registry = (OPS / "registry.c").read_text()
    about = re.search(rf'= \{{"{op}",\s*"([^"]*)"\}}', registry).group(1)
    definition = function(text, f"{op}_naive")
    place = text.index(definition)
    own = definition.lstrip()
    comment = mathematics(text, place)
    parts = [function((OPS / (name.split()[0] if " " in name else file)).read_text(), name.split()[-1]) for name in others] + [own]
    # a comment that is part of the mathematics already isn't said twice
    parts = [re.sub(r"\A(?://[^\n]*\n)+", "", part) if part.split("\n")[0] in comment else part for part in parts]
    code = "\n".join(parts)
    code = re.sub(r"^(?!static)(void|size_t) (\w+)\(", r"static \1 \2(", code, flags=re.M)
    code = re.sub(r"\b(\w+?)_naive(_scratch_size)?\b", r"my_\1\2", code)
    code = re.sub(r"^static [^\n;]*\((?:[^;{}]*?)\) \{", signature, code, flags=re.M)
    scratch = f",\n                              .scratch_size = my_{op}_scratch_size" if f"my_{op}_scratch_size" in code else ""
    includes = [f"#include <{header}.h>" for header, word in
                [("math", r"\b(sqrt|exp|expf|erff|tanhf|sinf|cosf|INFINITY)\b"), ("stdbool", r"\bbool\b"), ("string", r"\bmemcpy\b")]
                if re.search(word, code)]
    begin = (f"// {op}.c - {about}\n//\n"
             f"// The definition, to begin with: copy it, change it, and try\n//\n"
             f"//     sculpt lab {op} mine.c\n//\n"
             f"// How Sculpt's own do it: core/ops/{file}. What the arguments are: core/ops/{file[:-2]}.h. Made by templates.py.\n")
    return "\n".join([begin, '#include "ops/my_kernel.h"', ""] + ([*includes, ""] if includes else []) +
                     [comment, code, f'KernelPlugin sculpt_kernel = {{KERNEL_ABI, "{op}", .{op} = my_{op}{scratch}}};', ""])


def main():
    old = []
    for op, file, others in TEMPLATES:
        path, text = Path(__file__).parent / f"{op}.c", template(op, file, others)
        if path.exists() and path.read_text() == text:
            continue
        old.append(path.name)
        if "--check" not in sys.argv:
            path.write_text(text)
    if "--check" in sys.argv and old:
        sys.exit(f"Not what templates.py writes: {', '.join(old)}")


main()
