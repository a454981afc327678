"""The judge: a small convolutional network that answers every question about a 128 x 128 picture at once."""

import torch
from torch import nn
from torch.nn.functional import interpolate

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

    Each question looks for itself where to read: its weights over the 16 x 16 places sum to 1, and what stands there is
    summed with them (attention with one learned query per question). A bow tie is small and somewhere; a scene is
    everywhere, so every question also sees the whole picture, place by place."""

    def __init__(self, widths=(24, 48, 112, 160), whole=256):
        super().__init__()
        a, b, c, d = widths
        self.near = nn.Sequential(
            halve(3, a),                # [B, a, 64, 64]
            halve(a, b), Residual(b),   # [B, b, 32, 32]
            halve(b, c), Residual(c))   # [B, c, 16, 16]
        self.far = nn.Sequential(halve(c, d), Residual(d))  # [B, d, 8, 8]
        self.whole = nn.Sequential(
            nn.AvgPool2d(2), nn.Flatten(), nn.Dropout(0.1), nn.Linear(d * 16, whole), nn.ReLU())
        self.back = nn.Conv2d(d, c, 1)
        self.place = nn.Parameter(torch.zeros(1, c, 16, 16))
        self.where = nn.Conv2d(c, len(QUESTIONS), 1)
        self.heads = nn.ModuleDict({head(name): nn.Linear(whole + c, len(v)) for name, v in QUESTIONS.items()})

    def forward(self, pixels):
        near = self.near((pixels - 0.5) * 2)
        far = self.far(near)
        places = torch.relu(near + interpolate(self.back(far), scale_factor=2))
        weights = self.where(places + self.place).flatten(2).softmax(2)  # [B, questions, 256]
        found = weights @ places.flatten(2).transpose(1, 2)              # [B, questions, c]
        whole = self.whole(far)
        return {name: self.heads[head(name)](torch.cat([whole, found[:, i]], 1)) for i, name in enumerate(QUESTIONS)}


def head(question):
    """A module's name may not hold a dot."""
    return question.replace(".", "_")


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
