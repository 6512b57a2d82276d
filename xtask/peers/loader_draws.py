"""Views and crop windows that a run over torch's DataLoader draws, for fixtures/eval/loader_draws.json.

The data set draws views with Python's `random` when a shape is read, and the transform draws one crop window per batch in
the main process, as the evaluation of Duoduo CLIP does. `python loader_draws.py fixtures/eval/loader_draws.json`
"""

import json
import random
import sys

import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import RandomCrop

SHAPES, BATCH, RENDERED = 1201, 200, 12
SHOWN = [0, 1, 199, 200, 399, 400, 401, 799, 800, 999, 1000, 1199, 1200]


class Draws(Dataset):
    """Only the draws of a shape: the indices of its views."""

    def __init__(self, views):
        self.views = views

    def __len__(self):
        return SHAPES

    def __getitem__(self, index):
        return random.sample(range(RENDERED), self.views)


def run(seed, workers, views):
    random.seed(seed)
    torch.manual_seed(seed)
    loader = DataLoader(Draws(views), batch_size=BATCH, num_workers=workers, collate_fn=list)
    image = torch.zeros(3, 224, 224)
    drawn, windows = [], []
    for batch in loader:
        drawn += batch
        windows.append(list(RandomCrop.get_params(image, (208, 208)))[:2])
    return {"seed": seed, "num_workers": workers, "windows": windows, "views": [drawn[i] for i in SHOWN]}


def main(path):
    runs = [run(seed, workers, views) for seed in (678, 789, 900) for workers in (0, 1, 4) for views in (1, 5, 12)]
    with open(path, "w") as file:
        file.write('{"shapes": ' + json.dumps(SHOWN) + ', "runs": [\n')
        file.write(",\n".join(json.dumps(line) for line in runs) + "\n]}\n")


if __name__ == "__main__":
    main(sys.argv[1])
