"""Files of embeddings as h5py, NumPy, pyarrow and safetensors write them, and the nearest rows by faiss.

    python xtask/peers/embeddings.py fixtures/embeddings

The search is that of Duoduo CLIP's `text_retrieval.py`: halves as `shape_feat`, cast to f32, normalized by torch, an `IndexFlatIP`, the
five best. Rows are deterministic; their length is that of the model of the command's tests.
"""

import json
import pathlib
import sys

import faiss
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.numpy import save_file

ROWS, DIM, QUERIES = 48, 32, 4


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20240617)
    # A common direction, as real embeddings have, and lengths other than 1.
    common = rng.standard_normal(DIM)
    rows = (rng.standard_normal((ROWS, DIM)) + 2 * common) * rng.uniform(0.5, 20, (ROWS, 1))
    rows = rows.astype(np.float16)
    queries = (rng.standard_normal((QUERIES, DIM)) + common).astype(np.float32)
    names = [rng.bytes(16).hex() for _ in range(ROWS)]

    # The index is not in the order of rows.
    order = rng.permutation(ROWS).tolist()
    index = {names[row]: row for row in order}
    with h5py.File(out / "shape_emb.h5", "w") as file:
        file.create_dataset("shape_feat", data=rows)
    (out / "shape_emb_model_to_idx.json").write_text(json.dumps(index))
    with h5py.File(out / "chunked.h5", "w") as file:
        file.create_dataset("feat", data=rows, chunks=(7, 20), compression="gzip", shuffle=True)
        file.create_dataset("names", data=names, dtype=h5py.string_dtype())
    np.savez_compressed(out / "compressed.npz", embeddings=rows, ids=np.array(names))
    np.save(out / "plain.npy", rows)
    (out / "plain.txt").write_text("".join(f"{name}\n" for name in names))
    pq.write_table(
        pa.table({"uid": names, "clip": pa.array(list(rows.astype(np.float32)), pa.list_(pa.float32()))}),
        out / "table.parquet",
        row_group_size=20,
    )
    save_file({"feats": torch.tensor(rows).numpy()}, out / "tensors.safetensors", {"rows": json.dumps(names)})
    np.save(out / "queries.npy", queries)

    normalized = torch.nn.functional.normalize(torch.from_numpy(rows.astype(np.float32)), dim=1).numpy()
    flat = faiss.IndexFlatIP(DIM)
    flat.add(normalized)
    asked = torch.nn.functional.normalize(torch.from_numpy(queries), dim=1).numpy()
    scores, found = flat.search(asked, 5)
    expected = [
        [{"name": names[i], "score": round(float(s), 6)} for s, i in zip(ss, ii)] for ss, ii in zip(scores, found)
    ]
    (out / "expected.json").write_text(json.dumps(expected, indent=1))


if __name__ == "__main__":
    main()
