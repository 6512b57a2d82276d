"""The authors' interface, with numbers that their code computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lexiform
from conftest import FIXTURES, tensors, write_tensors
from lexiform.duoduo import DuoduoCLIP, get_model

FOLDER = FIXTURES / "duoduo_tiny224"


@pytest.fixture(scope="module")
def duoduo() -> DuoduoCLIP:
    return get_model(FOLDER / "model.safetensors", device="cpu")


def views() -> np.ndarray:
    inputs = tensors(FOLDER / "inputs.safetensors")
    return next(value for value in inputs.values() if value.dtype == np.uint8)


@pytest.mark.parametrize("n", [1, 3])
def test_images_with_a_seed_are_cropped_as_by_torch(duoduo: DuoduoCLIP, n: int) -> None:
    expected = tensors(FOLDER / "expected.safetensors")
    # `torch.manual_seed(678)` draws the corner (5, 11), says the golden configuration.
    found = duoduo.encode_image(views()[:n], seed=678)
    assert found.shape == (1, 32)
    reference = expected[f"encode_image_norm_f{n}_crop5_11"]
    np.testing.assert_allclose(found, reference, atol=2e-5)
    assert float((found @ reference.T).item()) >= 1 - 1e-6


def test_one_image_needs_no_axis_for_views(duoduo: DuoduoCLIP) -> None:
    np.testing.assert_array_equal(duoduo.encode_image(views()[0]), duoduo.encode_image(views()[:1]))


def test_the_example_of_the_authors_runs(duoduo: DuoduoCLIP) -> None:
    model = duoduo.eval().to("cpu")
    expected = tensors(FOLDER / "expected.safetensors")
    np.testing.assert_allclose(
        model.encode_image(views()[:3]), expected["image_features_f3_norm"], atol=2e-5
    )
    assert "DuoduoCLIP" in repr(model) and isinstance(model.model, lexiform.Model)


def test_texts_are_tokenized_as_by_clip(tmp_path: Path) -> None:
    content = tensors(FOLDER / "model.safetensors")
    name = next(name for name in content if name.endswith("token_embedding.weight"))
    # The golden network has a vocabulary of 1,024; the tokenizer needs all of CLIP's 49,408.
    words = np.random.default_rng(0).normal(scale=0.02, size=(49408, content[name].shape[1]))
    write_tensors(tmp_path / "model.safetensors", {**content, name: words.astype(np.float32)})
    config = (FOLDER / "config.json").read_text().replace('"vocab_size": 1024', '"vocab_size": 49408')
    (tmp_path / "config.json").write_text(config)
    model = get_model(tmp_path / "model.safetensors")
    text = model.encode_text("a 3D model of a white couch")
    assert text.shape == (1, 32) and abs(float(np.linalg.norm(text)) - 1) < 1e-5
    np.testing.assert_array_equal(text, model.encode_text("A  3D model of a white couch"))
    assert float((text @ model.encode_text("an airplane").T).item()) < 1


def test_checkpoints_of_lightning_are_read() -> None:
    folder = FIXTURES / "duoduo_tiny"
    expected = tensors(folder / "expected.safetensors")
    model = get_model(folder / "model.ckpt")
    pixels = next(value for value in tensors(folder / "inputs.safetensors").values() if value.dtype == np.uint8)
    np.testing.assert_allclose(model.encode_image(pixels[:3]), expected["image_features_f3_norm"], atol=2e-5)


def test_wrong_images_are_refused(duoduo: DuoduoCLIP) -> None:
    with pytest.raises(lexiform.InvalidArgument, match="expected"):
        duoduo.encode_image(np.zeros((3, 224, 224), np.uint8))
    with pytest.raises(lexiform.InvalidArgument):
        duoduo.encode_image(np.zeros((1, 1, 1, 224, 224, 3), np.uint8))
    with pytest.raises(lexiform.InvalidArgument, match="device"):
        duoduo.to("tpu")
