# muon.py - an optimiser for weight matrices: momentum, then the nearest orthogonal matrix as the step
#
# Where: vae.py and train.py give it every weight with two or more axes; biases, norms and embeddings go to AdamW.
# Elsewhere: torch.optim.Muon (which takes 2-D weights only). Source: Keller Jordan, "Muon: an optimizer for hidden layers", 2024.

import torch


def orthogonal(g, steps=5):
    """The nearest semi-orthogonal matrix to g [..., M, N], roughly: U V^T where g = U S V^T.

    Newton-Schulz: an odd polynomial a x + b x^3 + c x^5, applied to all singular values at once by matrix products,
    pushes each of them towards 1. So all directions of the gradient step equally far, the rare ones too.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = g.size(-2) > g.size(-1)
    x = g.mT if tall else g
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """lr is the update's root mean square, times 5: a value that does for AdamW does here too."""

    def __init__(self, params, lr=1e-3, momentum=0.95, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            same_shape = {}                                    # one batched product for all weights of a shape
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                m = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                nesterov = p.grad.lerp(m, group["momentum"])
                rows = p.size(0)                               # [out, in, kh, kw] is a matrix [out, in*kh*kw]
                same_shape.setdefault((rows, p.numel() // rows), []).append((p, nesterov.reshape(rows, -1)))
            for (rows, columns), pairs in same_shape.items():
                x = torch.stack([g for _, g in pairs]).bfloat16()
                update = orthogonal(x).float() * (0.2 * max(rows, columns) ** 0.5)
                for (p, _), u in zip(pairs, update):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(u.view_as(p), alpha=-group["lr"])
