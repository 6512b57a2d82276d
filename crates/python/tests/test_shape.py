"""Shapes: read, made of arrays, rendered, sampled, written, shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lexiform
from conftest import SAMPLES


def test_arrays_go_in_and_come_out() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float64)
    faces = np.array([[0, 1, 2], [0, 1, 3]], np.int64)
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [188, 188, 188]], np.uint8)
    shape = lexiform.Shape.from_mesh(vertices, faces, colors)
    assert (shape.n_triangles, shape.n_vertices, shape.n_points) == (2, 4, 0)
    (mesh,) = shape.meshes()
    np.testing.assert_array_equal(mesh["vertices"], vertices)
    np.testing.assert_array_equal(mesh["faces"], faces)
    # sRGB 188 is linear 0.5028 (IEC 61966-2-1).
    np.testing.assert_allclose(mesh["colors"][3], [0.5028, 0.5028, 0.5028, 1], atol=1e-3)
    np.testing.assert_array_equal(shape.bounds, [[0, 0, 0], [1, 1, 1]])
    assert np.abs(shape.normalized().bounds).max() <= 1.0


def test_points_keep_their_colors() -> None:
    points = np.array([[0, 0, 0, 1, 0, 0.2], [1, 2, 3, 0, 1, 1]], np.float32)
    (cloud,) = lexiform.Shape.from_points(points).clouds()
    np.testing.assert_allclose(cloud, points, atol=1e-6)


def test_files_are_read_by_path_and_by_content(tmp_path: Path) -> None:
    path = SAMPLES / "axe.stl"
    shape = lexiform.read(path)
    assert shape.name == "axe.stl" and shape.n_triangles > 0 and isinstance(shape.notes, list)
    assert lexiform.read(path.read_bytes(), name="axe.stl").n_triangles == shape.n_triangles
    # STL is +Z up by practice.
    turned, plain = lexiform.read(path, up="z").bounds, lexiform.read(path, up="y").bounds
    np.testing.assert_allclose(turned[:, 1], plain[:, 2], atol=1e-5)
    shape.write(tmp_path / "axe.glb")
    assert lexiform.read(tmp_path / "axe.glb").n_triangles == shape.n_triangles


def test_views_are_rendered() -> None:
    shape = lexiform.read(SAMPLES / "banana.glb")
    assert shape.render().shape == (1, 224, 224, 3)
    views = shape.render(4, 64, rig="zero123", seed=1)
    assert views.shape == (4, 64, 64, 3) and views.dtype == np.uint8
    assert not np.array_equal(views, shape.render(4, 64, rig="zero123", seed=2))
    clear = shape.render(2, 64, transparent=True)
    assert clear.shape == (2, 64, 64, 4) and clear[..., 3].min() == 0 and clear[..., 3].max() == 255
    assert (views[0, 0, 0] == 255).all(), "white background"


def test_points_are_sampled_on_the_surface(triangle: lexiform.Shape) -> None:
    points = triangle.sample(2000, seed=3)
    assert points.shape == (2000, 3)
    assert (points >= 0).all() and (points[:, 0] + points[:, 1] <= 1 + 1e-6).all() and (points[:, 2] == 0).all()
    # Uniform by area: the centroid of the triangle.
    np.testing.assert_allclose(points.mean(axis=0), [1 / 3, 1 / 3, 0], atol=0.03)
    np.testing.assert_array_equal(points, triangle.sample(2000, seed=3))
    assert lexiform.sample(SAMPLES / "banana.glb", 100).shape == (100, 6)


def test_notebooks_show_shapes_and_pictures(triangle: lexiform.Shape, tmp_path: Path) -> None:
    page = triangle._repr_html_()
    assert "<canvas" in page and "http" not in page.replace("http-equiv", "")
    cloud = lexiform.Shape.from_points(np.random.default_rng(0).normal(size=(100, 3)))
    assert "data:image/png;base64," in cloud._repr_html_()
    sheet = lexiform.contact_sheet(triangle.render(4, 32), ["a", "b", "c", "d"], columns=2)
    assert sheet._repr_png_().startswith(b"\x89PNG") and sheet.pixels.shape[1] < 100
    sheet.save(tmp_path / "sheet.png")
    assert np.asarray(sheet).shape == sheet.pixels.shape and "Picture" in repr(sheet)
    assert "1 triangles" in repr(triangle)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lexiform.read("missing.glb"), FileNotFoundError, "missing.glb"),
        (lambda: lexiform.read(b"junk"), ValueError, "expected a file name"),
        (lambda: lexiform.read(b"junk", name="a.glb"), lexiform.ShapeError, ""),
        (lambda: lexiform.read("a.glb", up="w"), ValueError, "up:"),
        (lambda: lexiform.Shape.from_mesh([[0, 0, 0]], [[0, 1, 2]]), ValueError, "vertex 1"),
        (lambda: lexiform.Shape.from_mesh([[0, 0, 0]], [[0, -1, 0]]), ValueError, "out of range"),
        (lambda: lexiform.Shape.from_mesh([[0, 0]], [[0, 0, 0]]), ValueError, "vertices"),
        (lambda: lexiform.Shape.from_mesh([[0, 0, 0]], [[0.5, 0, 0]]), ValueError, "integers"),
        (lambda: lexiform.Shape.from_points(np.empty((0, 3))), ValueError, "at least one point"),
        (lambda: lexiform.contact_sheet([]), ValueError, "at least one picture"),
    ],
)
def test_errors_say_what_is_wrong(call: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()  # type: ignore[operator]
    assert message in str(caught.value) and isinstance(caught.value, lexiform.LexiformError)


def test_sizes_have_limits(triangle: lexiform.Shape) -> None:
    for views, size in ((0, 64), (1, 0), (1, 100_000), (5000, 64)):
        with pytest.raises(ValueError, match="expected 1 to 1000 views"):
            triangle.render(views, size)
    with pytest.raises(ValueError, match="rig"):
        triangle.render(2, 64, rig="spiral")
    with pytest.raises(ValueError):
        triangle.sample(0)
