"""Prepared data sets read with other projects' readers: webdataset, pyarrow, pandas, Pillow, NumPy and hashlib.

usage: shard_readers.py EXAMPLE [NAME…]      EXAMPLE is the program `prepare`; without names all cases run

Each case prepares the sample gallery. Shapes, members, pictures and captions that webdataset finds in the shards are compared with the
tables as pyarrow and pandas read them, members at the table's offsets with those of the tar, sums with zlib's and hashlib's; pictures
must have the pixels of the case before, where both are without loss. Prints one row a case; fails at the first difference."""
import glob, hashlib, io, json, os, subprocess, sys, tempfile, zlib
import numpy as np, pandas, pyarrow.parquet as parquet, webdataset
from PIL import Image

CASES = {"set png": "png", "set qoi": "qoi", "set webp": "webp", "set jpeg": "jpeg"}
# What is known of a shape's members before one is read.
VIEWS, POINTS, EDGE = 12, 10_000, 224


def is_view(name):
    return name[0] == "v" and name.endswith((".png", ".qoi", ".webp", ".jpg"))


def tables(folder):
    """The rows of the table over all, which every reader and the tables beside the shards must agree on."""
    rows = parquet.read_table(os.path.join(folder, "index.parquet")).to_pylist()
    frame = pandas.read_parquet(os.path.join(folder, "index.parquet"))
    assert list(frame["key"]) == [row["key"] for row in rows]
    assert [list(captions) for captions in frame["captions"]] == [row["captions"] for row in rows]
    beside = sorted(glob.glob(os.path.join(folder, "shards", "*.parquet")))
    assert [row for path in beside for row in parquet.read_table(path).to_pylist()] == rows
    return rows


def check_manifest(folder):
    """Sums of shards and table, as `sha256sum` has them."""
    with open(os.path.join(folder, "manifest.json")) as file:
        manifest = json.load(file)
    files = {"index.parquet": manifest["index_sha256"]}
    files |= {os.path.join("shards", shard["file"]): shard["sha256"] for shard in manifest["shards"]}
    for name, expected in files.items():
        with open(os.path.join(folder, name), "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == expected, name
    return manifest


def check_members(folder, row, sample):
    """Members of the tar are those of the table, and lie where it says."""
    assert [name for name in sample if not name.startswith("__")] == row["members"], row["key"]
    with open(os.path.join(folder, "shards", row["shard"]), "rb") as file:
        for name, offset, size, crc in zip(row["members"], row["offsets"], row["sizes"], row["crc32"]):
            file.seek(offset)
            content = file.read(size)
            assert content == sample[name] and zlib.crc32(content) == crc, (row["key"], name)


def check_shape(row, sample):
    """What is known about the shape, its arrays, and its views by Pillow: all pixels as one array."""
    about = json.loads(sample["json"])
    assert [caption["text"] for caption in about["captions"]] == row["captions"], row["key"]
    assert (about["labels"], about["split"]) == (row["labels"], row["split"]), row["key"]
    assert np.load(io.BytesIO(sample["points.npy"])).shape[0] == POINTS
    assert np.load(io.BytesIO(sample["cameras.npy"])).shape == (VIEWS, 3, 4)
    views = [Image.open(io.BytesIO(sample[name])).convert("RGB") for name in row["members"] if is_view(name)]
    assert len(views) == VIEWS and all(view.size == (EDGE, EDGE) for view in views), row["key"]
    return np.stack(views)


def case(example, pictures, known):
    """Prepares and reads; `known` has the pixels of pictures without loss."""
    with tempfile.TemporaryDirectory() as root:
        folder = os.path.join(root, "set")
        subprocess.run([example, pictures, folder, "samples"], check=True, stdout=subprocess.DEVNULL)
        manifest, rows = check_manifest(folder), tables(folder)
        shards = [os.path.join(folder, "shards", shard["file"]) for shard in manifest["shards"]]
        samples = list(webdataset.WebDataset(shards, shardshuffle=False))
        assert [sample["__key__"] for sample in samples] == [row["key"] for row in rows]
        for row, sample in zip(rows, samples):
            check_members(folder, row, sample)
            pixels = check_shape(row, sample)
            if pictures != "jpeg":
                assert np.array_equal(known.setdefault(row["key"], pixels), pixels), row["key"]
        # What a loader of webdataset's makes of the same by itself.
        decoded = webdataset.WebDataset(shards, shardshuffle=False).decode("rgb8")
        arrays = sum(isinstance(value, np.ndarray) and value.shape == (EDGE, EDGE, 3) for s in decoded for value in s.values())
        views = sum(is_view(name) for row in rows for name in row["members"])
        assert manifest["shapes"] == len(rows) and manifest["views"] == views
        return len(rows), views, arrays, sum(len(row["captions"]) for row in rows)


if __name__ == "__main__":
    example, names = sys.argv[1], sys.argv[2:] or CASES
    print("| case | shapes | pictures by Pillow | decoded by webdataset itself | captions | difference |\n|---|---|---|---|---|---|")
    known = {}
    for name in names:
        numbers = case(example, CASES[name], known)
        print("|", " | ".join(map(str, (name, *numbers, "none"))), "|", flush=True)
