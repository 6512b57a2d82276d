"""Open3D and plain PyTorch: 10k points of a 100k-triangle surface, farthest point sampling 10k -> 512, 32 nearest of 512.
Open3D's wheel needs libusb-1.0 and libGL from the system; without them it is skipped with a message."""
import sys

import numpy as np

from measure import measure

points = np.random.default_rng(0).random((10_000, 3), dtype=np.float32)


def with_open3d():
    import open3d as o3d

    sphere = o3d.geometry.TriangleMesh.create_sphere(radius=1.0, resolution=158)
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points.astype(np.float64)))
    everywhere, few = o3d.core.Tensor(points), o3d.core.Tensor(points[:512])
    measure("sample 10k points (Open3D)", lambda: sphere.sample_points_uniformly(10_000))
    measure("farthest points 10k -> 512 (Open3D)", lambda: cloud.farthest_point_down_sample(512))

    def nearest():
        search = o3d.core.nns.NearestNeighborSearch(everywhere)
        search.knn_index()
        return search.knn_search(few, 32)

    measure("32 nearest of 512 (Open3D, tree built anew)", nearest)


def with_torch():
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
    measure("32 nearest of 512 (PyTorch, all distances)", lambda: torch.cdist(tensor[:512], tensor).topk(32, largest=False))


for peer in (with_open3d, with_torch):
    try:
        peer()
    except ImportError as error:
        print(f"left out: {error}", file=sys.stderr)
