"""pyrender on EGL (llvmpipe without a GPU): 12 views at 224 px of a textured sphere of about 100k triangles."""
import os

os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
import numpy as np, pyrender, trimesh

rows, columns = 158, 316
v, u = np.mgrid[0 : rows + 1, 0 : columns + 1].astype(np.float64)
phi, theta = np.pi * v / rows, 2 * np.pi * u / columns
radius = 1 + 0.05 * np.sin(9 * theta) * np.sin(7 * phi)
vertices = np.stack([radius * np.sin(phi) * np.cos(theta), radius * np.cos(phi), radius * np.sin(phi) * np.sin(theta)], -1).reshape(-1, 3)
a = (v[:-1, :-1] * (columns + 1) + u[:-1, :-1]).astype(int).ravel()
faces = np.concatenate([np.stack([a, a + columns + 1, a + 1], -1), np.stack([a + 1, a + columns + 1, a + columns + 2], -1)])
from PIL import Image

from measure import measure

texture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (1024, 1024, 3), dtype=np.uint8))
visual = trimesh.visual.TextureVisuals(uv=np.stack([u / columns, 1 - v / rows], -1).reshape(-1, 2), image=texture)
mesh = pyrender.Mesh.from_trimesh(trimesh.Trimesh(vertices, faces, visual=visual, process=False))
scene = pyrender.Scene(bg_color=[1, 1, 1, 1], ambient_light=[0.4] * 3)
scene.add(mesh)
scene.add(pyrender.DirectionalLight(intensity=3.0))
camera = scene.add(pyrender.PerspectiveCamera(yfov=np.radians(49.1)))
renderer = pyrender.OffscreenRenderer(224, 224)


def views():
    for i in range(12):
        angle = 2 * np.pi * i / 12
        pose = np.eye(4)
        pose[:3, :3] = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
        pose[:3, 3] = 2.6 * pose[:3, 2]
        scene.set_pose(camera, pose)
        renderer.render(scene)


measure("12 views, 224 px, 100k triangles (pyrender)", views)
