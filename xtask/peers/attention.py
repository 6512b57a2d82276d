"""Multi-head attention and its gradient by PyTorch's `scaled_dot_product_attention` in 64 bits, of packed queries, keys and values that follow
from a formula, so that only results need to be kept: a sample of each. Usage: attention.py fixtures/nn/attention.safetensors"""
import sys

import numpy as np
import torch
from safetensors.torch import save_file

# Name: groups, tokens, heads, head width, tokens of a row, queries of a row, causal.
CASES = {
    "twelve_views": (1, 600, 12, 64, 50, 50, False),
    "six_views_class_tokens": (2, 300, 12, 64, 50, 1, False),
    "points": (1, 513, 6, 64, 513, 513, False),
    "text": (3, 77, 8, 64, 77, 77, True),
    "long_text": (1, 700, 2, 40, 700, 700, True),
    "wide_heads": (2, 130, 2, 160, 130, 130, False),
    "odd_heads": (2, 35, 3, 7, 35, 35, False),
    "one_token": (4, 1, 2, 16, 1, 1, False),
}
SAMPLE = 600


def some(shape, seed):
    """Pseudo-random numbers from -1 to 1, as in the test."""
    numbers = (np.arange(np.prod(shape), dtype=np.int64) * 7919 + seed * 104_729) % 2017
    return torch.from_numpy(numbers.astype(np.float32) / np.float32(1008.5) - np.float32(1)).reshape(shape)


def sample(tensor):
    values = tensor.detach().reshape(-1)
    return values[:: max(1, len(values) // SAMPLE)].clone()


found = {}
for name, (groups, tokens, heads, width, row, first, causal) in CASES.items():
    inner = heads * width
    packed = (some((groups, tokens, 3 * inner), 5) * 1.5).double().requires_grad_()
    query, key, value = packed.reshape(groups, tokens, 3, heads, width).permute(2, 0, 3, 1, 4)
    query = query.reshape(groups, heads, tokens // row, row, width)[:, :, :, :first].reshape(groups, heads, -1, width)
    out = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
    out = out.transpose(1, 2).reshape(groups, -1, inner)
    (out * some(tuple(out.shape), 99).double()).sum().backward()
    found[f"{name}.shape"] = torch.tensor([groups, tokens, heads, width, row, first, int(causal)])
    found[f"{name}.output"], found[f"{name}.gradient"] = sample(out), sample(packed.grad)
save_file(found, sys.argv[1])
