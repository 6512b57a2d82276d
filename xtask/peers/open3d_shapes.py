"""Shapes of Open3D in memory against the files that Open3D writes of them: cosines of their features.

    pip install lexiform open3d         # Open3D 0.20 needs Debian's libusb-1.0-0
    python xtask/peers/open3d_shapes.py
"""

import tempfile
from pathlib import Path

import numpy as np
import open3d

import lexiform

SAMPLES = Path(__file__).parents[2] / "samples"


def main():
    model = lexiform.load("nano")
    mesh = open3d.io.read_triangle_mesh(str(SAMPLES / "armchair.glb"))
    cloud = mesh.sample_points_uniformly(10_000)
    mesh.vertex_colors = open3d.utility.Vector3dVector(np.tile([0.2, 0.6, 0.2], (len(mesh.vertices), 1)))
    cloud.colors = open3d.utility.Vector3dVector(np.tile([0.2, 0.6, 0.2], (len(cloud.points), 1)))
    plain = open3d.geometry.TriangleMesh(mesh.vertices, mesh.triangles)
    plain.vertex_colors = mesh.vertex_colors
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "mesh.ply", Path(folder) / "cloud.ply"
        open3d.io.write_triangle_mesh(str(files[0]), plain)
        open3d.io.write_point_cloud(str(files[1]), cloud)
        expected = [model.encode_shape(file) for file in files]
    shapes = {
        "TriangleMesh": (plain, expected[0]),
        "t.TriangleMesh": (open3d.t.geometry.TriangleMesh.from_legacy(plain), expected[0]),
        "PointCloud": (cloud, expected[1]),
        "t.PointCloud": (open3d.t.geometry.PointCloud.from_legacy(cloud), expected[1]),
    }
    for name, (shape, features) in shapes.items():
        cosine = float(model.encode_shape(shape) @ features)
        print(f"{name:15} {cosine:.6f}")
        assert cosine > 0.999, name


if __name__ == "__main__":
    main()
