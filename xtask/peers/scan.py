"""faiss flat index: one query against stored vectors."""
import json, time
import numpy as np, faiss


def measure(what, run, repeats=9):
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"what": what, "milliseconds": sorted(times)[len(times) // 2]}))


rng = np.random.default_rng(0)
for count, dim in [(10_000, 256), (200_000, 512)]:
    vectors = rng.standard_normal((count, dim), dtype=np.float32)
    index = faiss.IndexFlatIP(dim)
    index.add(vectors)
    measure(f"scan {count} x {dim} f32", lambda: index.search(vectors[:1], 10))
