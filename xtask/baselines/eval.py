"""PyTorch: zero-shot classification from features of 46,205 shapes and 1,156 labels in 512, 768 and 1280 dimensions, and retrieval."""

import torch

from measure import measure

DEPTH = 5


def zero_shot(shapes, labels, truth):
    scores = shapes @ labels.T
    best = scores.topk(DEPTH, dim=1).indices
    right = best == truth[:, None]
    return [right[:, :k].any(1).double().mean() for k in (1, 3, 5)]


def retrieval(queries, gallery, right):
    scores = queries @ torch.nn.functional.normalize(gallery).T
    order = scores.argsort(dim=1, descending=True)
    ranks = torch.empty_like(order).scatter_(1, order, torch.arange(order.shape[1]).expand_as(order))
    return (ranks.gather(1, right).min(1).values < DEPTH).double().mean()


truth = torch.arange(46_205) % 1156
for dim in (512, 768, 1280):
    shapes = torch.rand(46_205, dim) - 0.5
    labels = torch.nn.functional.normalize(torch.rand(1156, dim) - 0.5)
    measure(f"zero-shot from features, 46,205 × 1,156 × {dim}", lambda: zero_shot(shapes, labels, truth))
queries, gallery = torch.rand(5000, 512) - 0.5, torch.rand(20_000, 512) - 0.5
right = torch.stack([torch.arange(5000), torch.arange(5000) + 5000], dim=1)
measure("retrieval, 5,000 queries × 20,000 × 512", lambda: retrieval(queries, gallery, right))
