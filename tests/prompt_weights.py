"""prompt_weights.py - what --prompt-weights should do, for the goldens: the rules of core/stages/prompt_weights.h again

parse() reads the brackets by giving a weight to every single character, and weighted_embeddings() does to the text
encoder's vectors what the web UIs do. Neither knows how the C does it.
"""

import itertools
import math
import re

import torch

NUMBER = re.compile(r":\s*([+-]?[.\d]+)\s*\)", re.ASCII)


def parse(prompt):
    """[(text, weight), ...], neighbours of different weight; ValueError for a weight that is no number"""
    characters, brackets, unclosed = [], [], {"(": [], "[": []}  # brackets: (first, last + 1, factor), as they close
    at = 0

    def close(kind, factor):
        brackets.append((unclosed[kind].pop(), len(characters), factor))

    while at < len(prompt):
        here, number = prompt[at], NUMBER.match(prompt, at)
        at += 1
        if here == "\\":
            if prompt[at : at + 1] in tuple("()[]\\"):
                characters.append(prompt[at])
                at += 1
        elif here in unclosed:
            unclosed[here].append(len(characters))
        elif here == ":" and number and unclosed["("]:
            close("(", float(number[1]))
            at = number.end()
        elif here == ")" and unclosed["("]:
            close("(", 1.1)
        elif here == "]" and unclosed["["]:
            close("[", 1 / 1.1)
        else:
            characters.append(here)
    while unclosed["("]:
        close("(", 1.1)
    while unclosed["["]:
        close("[", 1 / 1.1)

    weights = [math.prod((f for first, last, f in brackets if first <= i < last), start=1.0)
               for i in range(len(characters))]  # fmt: skip
    pairs = itertools.groupby(zip(characters, weights), key=lambda pair: pair[1])
    return [("".join(character for character, _ in group), weight) for weight, group in pairs]


def allow_clip_skip(pipeline):
    """diffusers 0.42.1 asks the text encoder for its last norm by a name that transformers 5 has dropped."""
    object.__setattr__(pipeline.text_encoder, "text_model", pipeline.text_encoder)  # not as a part of itself


def weighted_ids(tokenizer, prompt):
    """Ids as the text encoder gets them, and a weight for each: two lists of the tokenizer's length"""
    ids, weights = [], []
    for text, weight in parse(prompt):
        these = tokenizer(text, add_special_tokens=False).input_ids
        ids += these
        weights += [weight] * len(these)
    room = tokenizer.model_max_length - 2
    padding = room - len(ids[:room])
    ids = [tokenizer.bos_token_id, *ids[:room], tokenizer.eos_token_id] + [tokenizer.pad_token_id] * padding
    return ids, [1.0, *weights[:room], 1.0] + [1.0] * padding


def weighted_embeddings(pipeline, prompt, clip_skip=None):
    """The embeddings [1, L, D] of a prompt with brackets, and the weights [L]"""
    ids, weights = weighted_ids(pipeline.tokenizer, prompt)
    ids, weights = torch.tensor([ids]), torch.tensor(weights)
    if clip_skip is None:
        plain = pipeline.text_encoder(ids)[0]
    else:
        states = pipeline.text_encoder(ids, output_hidden_states=True).hidden_states
        plain = pipeline.text_encoder.final_layer_norm(states[-(clip_skip + 1)])
    weighted = plain * weights[None, :, None]
    return weighted * (plain.double().mean() / weighted.double().mean()).float(), weights
