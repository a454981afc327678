"""The judge: a small convolutional network that answers every question about a 128 x 128 picture at once."""

import torch
from torch import nn

from attributes import QUESTIONS


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        return torch.relu(x + self.body(x))


def halve(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU())


class Judge(nn.Module):
    """pixels [B, 3, 128, 128] in 0..1 -> one [B, answers] of logits per question, as a dict.

    The last map is read place by place, not averaged: left and right must stay apart."""

    def __init__(self, widths=(24, 48, 96, 160)):
        super().__init__()
        a, b, c, d = widths
        self.trunk = nn.Sequential(
            halve(3, a),                # [B, a, 64, 64]
            halve(a, b), Residual(b),   # [B, b, 32, 32]
            halve(b, c), Residual(c),   # [B, c, 16, 16]
            halve(c, d), Residual(d),   # [B, d, 8, 8]
            nn.AvgPool2d(2),            # [B, d, 4, 4]
            nn.Flatten(), nn.Dropout(0.1), nn.Linear(d * 16, 384), nn.ReLU())
        self.heads = nn.ModuleDict({name.replace(".", "_"): nn.Linear(384, len(v)) for name, v in QUESTIONS.items()})

    def forward(self, pixels):
        features = self.trunk((pixels - 0.5) * 2)
        return {name: self.heads[name.replace(".", "_")](features) for name in QUESTIONS}


@torch.no_grad()
def read(judge, pixels, batch=100):
    """pixels [N, 3, 128, 128] in 0..1 -> a list of {question: answer}."""
    judge.eval()
    answers = []
    for chunk in pixels.split(batch):
        logits = judge(chunk)
        best = {name: logits[name].argmax(1).tolist() for name in QUESTIONS}
        answers += [{name: QUESTIONS[name][best[name][i]] for name in QUESTIONS} for i in range(len(chunk))]
    return answers
