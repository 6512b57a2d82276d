"""Class features with names in the forms of h5py, NumPy and safetensors, and few-shot folds as Point-BERT pickles them.

    python class_features.py fixtures/eval/class_features

Three classes with the unit vectors as features, in an order that is not sorted; folds whose answers follow by arithmetic: the
queries of fold 0 are its examples, those of fold 1 have the two labels exchanged.
"""

import pickle
import sys
from pathlib import Path

import h5py
import numpy as np
from safetensors.numpy import save_file

NAMES = ["night stand", "bed", "Band_Aid, (dressing)"]
ROWS = np.eye(3, 4, dtype=np.float32)


def features(folder):
    with h5py.File(folder / "variable.h5", "w") as file:
        file["features"] = ROWS.astype(np.float16)
        file["names"] = NAMES
        file["counts"] = [1, 2, 3]
    with h5py.File(folder / "fixed.h5", "w") as file:
        file["labels"] = np.array(NAMES, dtype="S20")
        file["class_feat"] = ROWS
        file["other"] = ROWS[:2]
    np.savez(folder / "named.npz", names=np.array(NAMES), features=ROWS)
    np.savez_compressed(folder / "objects.npz", features=ROWS, names=np.array(NAMES, dtype=object))
    np.save(folder / "dictionary.npy", dict(zip(NAMES, ROWS)), allow_pickle=True)
    np.save(folder / "listed.npy", ROWS)
    (folder / "listed.txt").write_text("\n".join(NAMES) + "\n")
    np.save(folder / "unnamed.npy", ROWS)
    save_file({"embeddings": ROWS}, folder / "named.safetensors", {"rows": '["night stand", "bed", "Band_Aid, (dressing)"]'})


def cloud(kind):
    """A rod or a plate, [64, 6], with normals that are to be ignored."""
    rng = np.random.default_rng(kind)
    points = rng.uniform(-1, 1, (64, 6)).astype(np.float32)
    points[:, :3] *= [[1, 0.05, 0.05], [1, 1, 0.05]][kind]
    return points


def folds(folder):
    folder.mkdir(exist_ok=True)
    examples = [(cloud(0), 0, 4), (cloud(1), 1, 2)]
    swapped = [(cloud(1), 0, 4), (cloud(0), 1, 2)]
    for number, queries in ((0, examples), (1, swapped), (10, examples)):
        fold = {"train": examples, "test": queries}
        (folder / f"{number}.pkl").write_bytes(pickle.dumps(fold, protocol=4 if number else 2))


if __name__ == "__main__":
    root = Path(sys.argv[1])
    root.mkdir(parents=True, exist_ok=True)
    features(root)
    folds(root / "2way_1shot")
