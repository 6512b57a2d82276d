"""trimesh and pyrender: 12 views at 224 px and 10k surface points of every mesh listed by bench_read, written as PNG and .npy."""
import os, sys, tempfile

os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
import numpy as np, pyrender, trimesh
from PIL import Image

from measure import once, report

root = os.environ.get("LEXIFORM_BENCH_DATA") or os.path.join(tempfile.gettempdir(), "lexiform-bench-data")
files = open(os.path.join(root, "meshes.list")).read().split("\n")[:-1]
renderer = pyrender.OffscreenRenderer(224, 224)
camera = pyrender.PerspectiveCamera(yfov=np.radians(49.1))
light = pyrender.DirectionalLight(intensity=3.0)
rng = np.random.default_rng(0)


def pose():
    """A camera anywhere around the unit sphere, as far off as in Zero123's script."""
    back = rng.normal(size=3)
    back /= np.linalg.norm(back)
    right = np.cross([0, 1, 0], back)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(back, right), back], -1)
    matrix[:3, 3] = back * rng.uniform(1.5, 2.2) / 0.61
    return matrix


def prepare(file, to):
    scene = trimesh.load_scene(file)
    center = scene.bounds.mean(0)
    radius = np.linalg.norm(scene.to_mesh().vertices - center, axis=1).max()
    fit = np.diag([1 / radius] * 3 + [1])
    fit[:3, 3] = -center / radius
    scene.apply_transform(fit)
    drawn = pyrender.Scene.from_trimesh_scene(scene, bg_color=[1, 1, 1, 1], ambient_light=[0.4] * 3)
    drawn.add(light)
    node = drawn.add(camera)
    for i in range(12):
        drawn.set_pose(node, pose())
        color, _ = renderer.render(drawn)
        Image.fromarray(color).save(os.path.join(to, f"{i:03}.png"))
    points, _ = trimesh.sample.sample_surface(scene.to_mesh(), 10_000)
    np.save(os.path.join(to, "points.npy"), points.astype(np.float32))


def prepare_all():
    done = 0
    with tempfile.TemporaryDirectory() as out:
        for i, file in enumerate(files):
            to = os.path.join(out, str(i))
            os.mkdir(to)
            try:
                prepare(file, to)
                done += 1
            except Exception as error:
                print(f"{file}: {error}", file=sys.stderr)
    return done


done = []
spent = once(lambda: done.append(prepare_all()))
report("prepare one shape, 12 views and 10k points", *spent, done[0])
