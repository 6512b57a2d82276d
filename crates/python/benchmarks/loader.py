"""Items per second of a torch DataLoader with two workers: our data set, PNG files and HDF5 arrays of the same views.

    python loader.py FOLDER          # needs torch, h5py and Pillow; FOLDER receives the files
"""

import sys
import time
from pathlib import Path

import h5py
import numpy as np
import torch
from PIL import Image

import lexiform

SHAPES, VIEWS, CHOSEN, SIZE = 64, 12, 4, 224


class PngFiles(torch.utils.data.Dataset):
    """A folder of PNG files per shape, as most projects have."""

    def __init__(self, root):
        self.folders = sorted(root.iterdir())

    def __len__(self):
        return len(self.folders)

    def __getitem__(self, index):
        chosen = np.random.choice(VIEWS, CHOSEN, replace=False)
        files = [self.folders[index] / f"{i:03}.png" for i in chosen]
        return np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])


class Hdf5(torch.utils.data.Dataset):
    """Duoduo CLIP's layout: one array of all views, compressed."""

    def __init__(self, path):
        self.path, self.file = path, None

    def __len__(self):
        return SHAPES

    def __getitem__(self, index):
        self.file = self.file or h5py.File(self.path)
        chosen = np.sort(np.random.choice(VIEWS, CHOSEN, replace=False))
        return self.file["imgs"][index, chosen]


def only_views(item):
    return item["views"]


def write(folder):
    samples = Path(__file__).parents[3] / "samples"
    files = sorted(path for path in samples.iterdir() if path.suffix in (".glb", ".obj", ".stl", ".ply"))[:SHAPES]
    lexiform.data.prepare(files, folder / "set", views=VIEWS, size=SIZE, points=0, progress=False)
    dataset = lexiform.data.Dataset(folder / "set")
    with h5py.File(folder / "views.h5", "w") as file:
        data = file.create_dataset(
            "imgs", (SHAPES, VIEWS, SIZE, SIZE, 3), "u1", chunks=(1, 1, SIZE, SIZE, 3), compression="gzip"
        )
        for i in range(SHAPES):
            shape = i % len(dataset)
            views = dataset.views(shape)
            data[i] = views
            (folder / "png" / f"{i:04}").mkdir(parents=True, exist_ok=True)
            for j, view in enumerate(views):
                Image.fromarray(view).save(folder / "png" / f"{i:04}" / f"{j:03}.png")


def rate(dataset):
    """Items per second of the best of three epochs, workers started."""
    loader = torch.utils.data.DataLoader(dataset, batch_size=8, num_workers=2, persistent_workers=True, shuffle=True)
    rates = []
    for _ in range(4):
        started = time.perf_counter()
        count = sum(len(batch) for _ in range(4) for batch in loader)
        rates.append(count / (time.perf_counter() - started))
    return max(rates[1:])


def main(folder):
    if not (folder / "views.h5").exists():
        write(folder)
    ours = lexiform.data.Dataset(folder / "set", views=CHOSEN, points=None, transform=only_views)
    sets = {"lexiform": ours, "PNG files": PngFiles(folder / "png"), "HDF5 (gzip)": Hdf5(folder / "views.h5")}
    rates = {name: rate(dataset) for name, dataset in sets.items()}
    for name, value in rates.items():
        print(f"{name:12} {value:8.0f} items/s  {rates['lexiform'] / value:5.2f}x")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
