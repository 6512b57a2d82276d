"""Models: what they take, and what comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lexiform
from conftest import FIXTURES, SAMPLES, tensors, unit


def test_one_input_has_one_axis_and_several_have_two(nano: lexiform.Model) -> None:
    one = nano.encode_text("a chair")
    several = nano.encode_text(["a chair", "a table"])
    assert one.shape == (nano.dim,) and several.shape == (2, nano.dim)
    assert one.dtype == np.float32 and unit(several)
    np.testing.assert_allclose(one, several[0], atol=1e-6)
    assert nano.encode_text([]).shape == (0, nano.dim)


def test_many_texts_are_the_same_as_few(nano: lexiform.Model) -> None:
    texts = [f"a chair number {i}" for i in range(300)]
    np.testing.assert_allclose(nano.encode_text(texts)[-1], nano.encode_text(texts[-1]), atol=1e-5)


def test_shapes_can_be_given_in_any_form(nano: lexiform.Model) -> None:
    path = SAMPLES / "armchair.glb"
    expected = nano.encode_shape(path)
    shape = lexiform.read(path)
    forms = [str(path), path.read_bytes(), shape]
    for rows in (nano.encode_shape(form) for form in forms):
        np.testing.assert_array_equal(rows, expected)
    assert nano.encode_shape(forms).shape == (3, nano.dim)


def test_meshes_of_trimesh_are_shapes(nano: lexiform.Model) -> None:
    trimesh = pytest.importorskip("trimesh")
    box = trimesh.creation.box((1.0, 2.0, 3.0))
    found = lexiform.shape.as_shape(box)
    assert found.n_triangles == 12
    np.testing.assert_allclose(found.bounds, [[-0.5, -1, -1.5], [0.5, 1, 1.5]], atol=1e-6)
    cloud = lexiform.shape.as_shape(trimesh.PointCloud([[0, 0, 0], [1, 1, 1]], colors=[[255, 0, 0, 255]] * 2))
    assert cloud.n_points == 2 and cloud.clouds()[0][0, 3:].tolist() == [1.0, 0.0, 0.0]
    same = nano.encode_shape({"vertices": box.vertices, "faces": box.faces})
    assert float(same @ nano.encode_shape(box)) > 0.99


def test_open3d_geometry_is_read_by_its_attributes() -> None:
    class TriangleMesh:
        vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float)
        triangles = np.array([[0, 1, 2]], np.int32)
        vertex_colors = np.array([[1.0, 0.0, 0.0]] * 3)

        def has_vertex_colors(self) -> bool:
            return True

    TriangleMesh.__module__ = "open3d.cpu.pybind.geometry"
    class TensorMesh:
        def to_legacy(self) -> TriangleMesh:
            return TriangleMesh()

    TensorMesh.__module__ = "open3d.cpu.pybind.t.geometry"
    TensorMesh.__name__ = "TriangleMesh"
    for mesh in (TriangleMesh(), TensorMesh()):
        shape = lexiform.shape.as_shape(mesh)
        assert shape.meshes()[0]["colors"][0].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_views_and_points_can_be_batched(tiny: lexiform.Model, nano: lexiform.Model) -> None:
    views = lexiform.render(SAMPLES / "armchair.glb", 3, rig="ring")
    one, batch = tiny.encode_views(views), tiny.encode_views(np.stack([views, views[::-1]]))
    assert one.shape == (tiny.dim,) and batch.shape == (2, tiny.dim)
    np.testing.assert_allclose(batch[0], one, atol=1e-5)
    np.testing.assert_allclose(tiny.encode_views(list(views)), one, atol=1e-6)
    assert tiny.encode_views([views, views[:1]]).shape == (2, tiny.dim)
    points = lexiform.sample(SAMPLES / "armchair.glb", 5000)
    assert nano.encode_points(points).shape == (nano.dim,)
    assert nano.encode_points([points, points[:1000, :3]]).shape == (2, nano.dim)


def test_pictures_are_paths_arrays_or_pillow(nano: lexiform.Model, tmp_path: Path) -> None:
    pixels = lexiform.render(SAMPLES / "banana.glb", 1)[0]
    expected = nano.encode_images(pixels)
    np.testing.assert_allclose(nano.encode_images(pixels.astype(np.float32) / 255), expected, atol=1e-6)
    lexiform.Picture(pixels).save(tmp_path / "banana.png")
    np.testing.assert_array_equal(nano.encode_images(tmp_path / "banana.png"), expected)
    pillow = pytest.importorskip("PIL.Image")
    np.testing.assert_array_equal(nano.encode_images(pillow.fromarray(pixels)), expected)
    small = np.ascontiguousarray(pixels[::2, ::3])
    assert nano.encode_images([pixels, small, tmp_path / "banana.png"]).shape == (3, nano.dim)


def test_tensors_are_taken_without_conversion(tiny: lexiform.Model) -> None:
    torch = pytest.importorskip("torch")
    views = lexiform.render(SAMPLES / "armchair.glb", 2, rig="ring")
    expected = tiny.encode_views(views)
    np.testing.assert_array_equal(tiny.encode_views(torch.from_numpy(views)), expected)
    assert tiny.similarity(torch.from_numpy(expected), expected).item() == pytest.approx(1.0, abs=1e-6)


def test_what_has_dlpack_is_an_array(tiny: lexiform.Model) -> None:
    class Tensor:
        def __init__(self, array: np.ndarray) -> None:
            self.array = array

        def __dlpack__(self, **options: object) -> object:
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self) -> tuple[int, int]:
            return self.array.__dlpack_device__()

    views = lexiform.render(SAMPLES / "armchair.glb", 2, rig="ring")
    np.testing.assert_array_equal(tiny.encode_views(Tensor(views)), tiny.encode_views(views))


def test_features_are_those_of_the_reference(tiny: lexiform.Model) -> None:
    folder = FIXTURES / "duoduo_tiny224"
    inputs, expected = tensors(folder / "inputs.safetensors"), tensors(folder / "expected.safetensors")
    views = next(value for value in inputs.values() if value.dtype == np.uint8)
    for n in (1, 3):
        found = tiny.encode_views(views[:n])
        np.testing.assert_allclose(found, expected[f"image_features_f{n}_norm"][0], atol=2e-5)


def test_classify_gives_probabilities(nano: lexiform.Model) -> None:
    labels = ["airplane", "chair", "banana"]
    found = nano.classify(SAMPLES / "banana.glb", labels)
    assert found[0].label == "banana"
    assert sum(label.probability for label in found) == pytest.approx(1.0, abs=1e-5)
    several = nano.classify(nano.encode_text(["a plane", "an armchair"]), labels, templates=["{}", "a {}"])
    assert [row[0].label for row in several] == ["airplane", "chair"]


def test_properties_say_what_a_model_is(nano: lexiform.Model, tiny: lexiform.Model) -> None:
    assert nano.name == "nano" and nano.id.startswith("nano") and nano.input == "views and points"
    assert nano.n_views and nano.view_size and nano.n_points
    assert tiny.input == "views" and tiny.n_points is None and tiny.view_size == 224
    assert all("{}" in template for template in nano.templates) and nano.logit_scale > 0
    assert nano.understands("a chair") and not nano.understands("qwertyuiop")
    assert "nano" in repr(nano) and any(model.name == "duoduo" for model in lexiform.models())
    assert isinstance(lexiform.models()[0], lexiform.RegisteredModel)


def test_options_reach_the_model(nano: lexiform.Model) -> None:
    views = lexiform.render(SAMPLES / "armchair.glb", 2, rig="ring")
    path = FIXTURES / "duoduo_tiny224" / "model.safetensors"
    center, shifted = lexiform.load(path, crop="center"), lexiform.load(path, crop=678)
    assert not np.array_equal(center.encode_views(views), shifted.encode_views(views))
    rounded = lexiform.load("nano", precision="bf16").encode_text("a chair")
    assert float(rounded @ nano.encode_text("a chair")) > 0.9999


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.encode_text(""), "found an empty text"),
        (lambda m: m.encode_text([1]), "expected a string"),
        (lambda m: m.encode_views(np.zeros((2, 8, 8), np.uint8)), "expected shape"),
        (lambda m: m.encode_views(np.zeros((2, 3, 8, 8), np.uint8)), "channels come last"),
        (lambda m: m.encode_views([np.zeros((8, 8, 3), np.uint8), np.zeros((9, 8, 3), np.uint8)]), "one size"),
        (lambda m: m.encode_images(np.full((8, 8, 3), 2.0)), "from 0 to 1"),
        (lambda m: m.encode_points(np.zeros((5, 4))), "3 or 6 columns"),
        (lambda m: m.encode_points(np.full((5, 3), np.nan)), "not finite"),
        (lambda m: m.encode_shape(object()), "expected a shape"),
        (lambda m: m.encode_shape(b"abc"), "no signature"),
        (lambda m: m.encode_shape({"vertices": []}), "missing: faces"),
        (lambda m: m.classify(np.zeros((1, 3), np.float32) + 1, ["a"]), "expected features of length"),
        (lambda m: m.classify(m.encode_text("a"), []), "at least one label"),
        (lambda m: m.classify(m.encode_text("a"), ["x"], templates=["no place"]), "no {}"),
    ],
)
def test_wrong_arguments_are_value_errors(nano: lexiform.Model, call: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        call(nano)  # type: ignore[operator]
    assert message in str(caught.value)


def test_models_that_cannot_be_opened_say_why(tmp_path: Path) -> None:
    with pytest.raises(lexiform.ModelError, match="nanno"):
        lexiform.load("nanno")
    (tmp_path / "broken.pt").write_bytes(b"no weights")
    with pytest.raises(lexiform.ModelError):
        lexiform.load(tmp_path / "broken.pt")
    for options in ({"device": "gpu"}, {"precision": "f8"}, {"crop": "left"}):
        with pytest.raises(lexiform.InvalidArgument):
            lexiform.load("nano", **options)
