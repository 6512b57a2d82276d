"""h5py: random views of shuffled shapes from the block of raw pixels that Duoduo CLIP keeps (bench_read writes it)."""
import os, random, tempfile
import h5py, numpy as np

from measure import measure

root = os.environ.get("LEXIFORM_BENCH_DATA") or os.path.join(tempfile.gettempdir(), "lexiform-bench-data")
file = h5py.File(os.path.join(root, "h5", "mv_images.h5"), "r")
images = file["imgs"]
rng = random.Random(1)
shapes = list(range(len(images)))
rng.shuffle(shapes)
plan = [(shape, sorted(rng.sample(range(12), rng.randint(1, 6)))) for shape in shapes]
count = sum(len(views) for _, views in plan)


def read():
    for shape, views in plan:
        np.asarray(images[shape, views])


measure("1000 random views, pixels, raw HDF5", read, per=count / 1000)
