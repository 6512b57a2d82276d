"""Fits the directions of the built-in model's kinds of objects to frozen features of shapes.

    python xtask/nano_concepts.py FEATURES NANO OUT

FEATURES: features.safetensors that `lexiform train` caches with the towers of `nano` as teacher, 6,000 generated shapes and six
variations of each file of recipes/nano-assets.csv, four views each:

    lexiform train recipes/nano-points.toml --out features --set teacher=nano --set seed=15 --set run.steps=1
        --set data.shapes=6000 --set data.assets.path=FOLDER --set data.assets.label_table=recipes/nano-assets.csv
        --set data.assets.copies=6

NANO is the built-in model, OUT the same file with `concepts.shapes`, directions that shapes are compared with (`fitted_to_shapes` in the
header). They start as the text features of the names; softmax regression with label smoothing moves them to where shapes of each kind are
(files count 15 % of the loss), with a penalty on the distance. Needs numpy and torch. Run from the repository.
"""

import csv
import json
import pathlib
import re
import struct
import sys

import numpy as np
import torch
from torch.nn.functional import cross_entropy, normalize

GENERATED = 6000
VIEWS = 4
FILES_WEIGHT = 0.15
PENALTY = 1e-3
NOISE = 0.03
SCALE = 16.0  # About exp(logit_scale) of the towers.
STEPS, BATCH, LEARNING_RATE = 200, 1536, 0.01
NAMES = "concepts.names"


def tensors(path):
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    types = {"F32": np.float32, "F16": np.float16, "I8": np.int8, "U8": np.uint8}

    def read(name):
        first, last = header[name]["data_offsets"]
        values = np.frombuffer(data[8 + length + first : 8 + length + last], types[header[name]["dtype"]])
        return values.reshape(header[name]["shape"]).astype(np.float32)

    return data, 8 + length, header, read


def generated_categories():
    """Names of the generated categories in the order of `lexiform_shapes::categories()`, from its source."""
    folder = pathlib.Path("crates/shapes/src/families")
    families = re.findall(r"^\s+(\w+)::(\w+)::CATEGORIES,", (folder / "mod.rs").read_text(), re.M)
    names = []
    for family, module in families:
        source = (folder / family / f"{module}.rs").read_text()
        table = source[source.index("CATEGORIES: ") + 30 :]
        names += re.findall(r'\b\w+\(\s*"([^"]+)"\s*,\s*&\[', table[: table.index("];\n")])
    return names


def fit(views, labels, names):
    """Directions `[kinds, dim]` from unit features of views `[shapes, views, dim]`."""
    count = torch.bincount(labels[GENERATED:], minlength=len(names)).float()
    rare = count[labels[GENERATED:]] ** -0.5
    generated = torch.full((GENERATED,), (1 - FILES_WEIGHT) / GENERATED)
    weights = torch.cat([generated, FILES_WEIGHT * rare / rare.sum()])
    change = torch.zeros_like(names, requires_grad=True)
    optimizer = torch.optim.Adam([change], lr=LEARNING_RATE)
    rng = torch.Generator().manual_seed(0)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (0.5 + 0.5 * np.cos(np.pi * step / STEPS))
        rows = torch.multinomial(weights, BATCH, True, generator=rng)
        some = torch.randint(1, VIEWS + 1, (1,), generator=rng).item()
        chosen = torch.randperm(VIEWS, generator=rng)[:some]
        shapes = normalize(views[rows][:, chosen].mean(1), dim=1)
        shapes = normalize(shapes + NOISE * torch.randn(shapes.shape, generator=rng), dim=1)
        logits = SCALE * shapes @ normalize(names + change, dim=1).T
        loss = cross_entropy(logits, labels[rows], label_smoothing=0.1) + PENALTY * (change**2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return normalize(names + change.detach(), dim=1).numpy()


def main(features, nano, out):
    data, start, header, read = tensors(nano)
    kinds = [c["name"] for c in json.loads(header["__metadata__"]["lexiform"])["language"]["concepts"]]
    names = normalize(torch.tensor(read(NAMES) * read(NAMES + ".scale")[:, None]), dim=1)
    views = normalize(torch.tensor(tensors(features)[3]("image")), dim=2)
    generated = generated_categories()
    with open("recipes/nano-assets.csv") as table:
        files = [row["label"] for row in csv.DictReader(table)]
    assert sorted(generated) == sorted(kinds), "the model has other kinds"
    copies = (len(views) - GENERATED) // len(files)
    assert len(views) == GENERATED + copies * len(files), "a file of the table was not read"
    labels = [generated[i % len(generated)] for i in range(GENERATED)]
    labels += [label for label in files for _ in range(copies)]
    fitted = fit(views, torch.tensor([kinds.index(label) for label in labels]), names)

    # One list of halves at the end of the file.
    settings = json.loads(header["__metadata__"]["lexiform"])
    settings["language"]["fitted_to_shapes"] = True
    header["__metadata__"]["lexiform"] = json.dumps(settings, separators=(",", ":"), ensure_ascii=False)
    body, values = data[start:], fitted.astype(np.float16).tobytes()
    offsets = [len(body), len(body) + len(values)]
    header["concepts.shapes"] = {"dtype": "F16", "shape": [fitted.size], "data_offsets": offsets}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(out).write_bytes(struct.pack("<Q", len(text)) + text + body + values)


main(*sys.argv[1:])
