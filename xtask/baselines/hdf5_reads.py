"""h5py: random views of shuffled shapes from raw pixels in Duoduo CLIP's HDF5 layout (written by bench_read)."""
import json, multiprocessing, os, random, tempfile
import h5py, numpy as np

from measure import measure, once, report

root = os.environ.get("LEXIFORM_BENCH_DATA") or os.path.join(tempfile.gettempdir(), "lexiform-bench-data")
path = os.path.join(root, "h5", "mv_images.h5")
file = None


def images():
    """The block, opened once in each process."""
    global file
    file = file or h5py.File(path, "r")
    return file["imgs"]


def read(plan):
    block = images()
    for shape, views in plan:
        np.asarray(block[shape, views])


def forget():
    """Asks the system to drop what it holds of the file."""
    with open(path, "rb") as handle:
        os.fdatasync(handle.fileno())
        os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


if __name__ == "__main__":
    with h5py.File(path, "r") as opened:
        shapes = list(range(len(opened["imgs"])))
    rng = random.Random(1)
    rng.shuffle(shapes)
    plan = [(shape, sorted(rng.sample(range(12), rng.randint(1, 6)))) for shape in shapes]
    thousands = sum(len(views) for _, views in plan) / 1000
    cores = os.cpu_count()
    # Before the file is opened here, as data loaders' workers do.
    with multiprocessing.Pool(cores) as pool:
        parts = [plan[i::cores] for i in range(cores)]
        measure("1000 random views to pixels, all cores", lambda: pool.map(read, parts, chunksize=1), per=thousands)
    forget()
    report("1000 random views to pixels, first reading", *once(lambda: read(plan)), thousands)
    measure("1000 random views to pixels", lambda: read(plan), per=thousands)
    print(json.dumps({"what": "kB a view", "milliseconds": 3 * 224 * 224 / 1000}))
