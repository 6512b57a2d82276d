"""Open3D and plain PyTorch: 10k points of a 100k-triangle surface, farthest point sampling 10k -> 512."""
import json, time
import numpy as np


def measure(what, run, repeats=5):
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"what": what, "milliseconds": sorted(times)[len(times) // 2]}))


points = np.random.default_rng(0).random((10_000, 3), dtype=np.float32)
try:
    import open3d as o3d

    sphere = o3d.geometry.TriangleMesh.create_sphere(radius=1.0, resolution=158)
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points.astype(np.float64)))
    measure("sample 10k points (Open3D)", lambda: sphere.sample_points_uniformly(10_000))
    measure("farthest points 10k -> 512 (Open3D)", lambda: cloud.farthest_point_down_sample(512))
except ImportError:
    pass
try:
    import torch

    def farthest(x, count):
        chosen = torch.zeros(count, dtype=torch.long)
        nearest = torch.full((len(x),), float("inf"))
        for i in range(1, count):
            nearest = torch.minimum(nearest, ((x - x[chosen[i - 1]]) ** 2).sum(-1))
            chosen[i] = nearest.argmax()
        return chosen

    tensor = torch.from_numpy(points)
    measure("farthest points 10k -> 512 (PyTorch)", lambda: farthest(tensor, 512))
except ImportError:
    pass
