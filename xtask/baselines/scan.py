"""faiss flat index: one query against stored vectors."""
import numpy as np, faiss

from measure import measure

rng = np.random.default_rng(0)
for count, dim in [(10_000, 256), (200_000, 512)]:
    vectors = rng.standard_normal((count, dim), dtype=np.float32)
    index = faiss.IndexFlatIP(dim)
    index.add(vectors)
    measure(f"scan {count} x {dim} f32", lambda: index.search(vectors[:1], 10), repeats=9)
