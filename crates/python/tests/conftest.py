"""Inputs of the tests: samples and golden values of the repository."""

from __future__ import annotations

import json
import os
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lexiform

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "samples"
FIXTURES = ROOT / "fixtures"
RECIPES = ROOT / "recipes"


def tensors(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """The tensors of a safetensors file."""
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        content = file.read()
    types = {"F16": np.float16, "F32": np.float32, "F64": np.float64, "U8": np.uint8, "I64": np.int64, "I32": np.int32}
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            found[name] = np.frombuffer(content[start:end], types[entry["dtype"]]).reshape(entry["shape"])
    return found


def write_tensors(path: Path, content: dict[str, np.ndarray[Any, Any]]) -> None:
    """Writes a safetensors file of 32-bit floats."""
    header, end = {}, 0
    for name, array in content.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [end, end + 4 * array.size]}
        end += 4 * array.size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in content.values():
            file.write(np.ascontiguousarray(array, np.float32).tobytes())


@pytest.fixture(scope="session")
def nano() -> lexiform.Model:
    return lexiform.load("nano")


@pytest.fixture(scope="session")
def tiny() -> lexiform.Model:
    """A small Duoduo CLIP with random weights."""
    return lexiform.load(FIXTURES / "duoduo_tiny224" / "model.safetensors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of four shapes that no library knows."""
    models = tmp_path / "models"
    models.mkdir()
    for name in ("armchair.glb", "axe.stl", "banana.glb", "apple_02.ply"):
        shutil.copy(SAMPLES / name, models / name)
    return models


@pytest.fixture(scope="session")
def dataset_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of four shapes with four views and 500 points each, in two splits."""
    folder = tmp_path_factory.mktemp("data")
    for label, names in {"seat": ["armchair.glb"], "fruit": ["banana.glb", "apple_01.glb"], "tool": ["axe.stl"]}.items():
        for split, name in zip(("train", "test"), names):
            (folder / "models" / label / split).mkdir(parents=True)
            shutil.copy(SAMPLES / name, folder / "models" / label / split / name)
    events: list[dict[str, object]] = []
    made = lexiform.data.prepare(
        folder / "models", folder / "set", views=4, size=64, points=500, folder_labels=True, progress=events.append
    )
    assert len(made) == 4 and [event["event"] for event in events].count("step") == 4
    return folder / "set"


@pytest.fixture
def triangle() -> lexiform.Shape:
    return lexiform.Shape.from_mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])


def unit(rows: Any) -> bool:
    return bool(np.allclose(np.linalg.norm(rows, axis=-1), 1.0, atol=1e-5))


os.environ.pop("LEXIFORM_MODEL", None)
