"""h5py: random views of shuffled shapes from the block of raw pixels that Duoduo CLIP keeps (bench_read writes it)."""
import json, os, random, tempfile, time
import h5py, numpy as np

root = os.environ.get("LEXIFORM_BENCH_DATA") or os.path.join(tempfile.gettempdir(), "lexiform-bench-data")
file = h5py.File(os.path.join(root, "h5", "mv_images.h5"), "r")
images = file["imgs"]
rng = random.Random(1)
shapes = list(range(len(images)))
rng.shuffle(shapes)
plan = [(shape, sorted(rng.sample(range(12), rng.randint(1, 6)))) for shape in shapes]
count = sum(len(views) for _, views in plan)


def measure(what, run, repeats=5):
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"what": what, "milliseconds": sorted(times)[repeats // 2] * 1000 / count}))


def read():
    for shape, views in plan:
        np.asarray(images[shape, views])


measure("1000 random views, pixels, raw HDF5", read)
