"""Arrays, tensors and pictures that are taken, and those that are refused with a reason."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lexiform
from conftest import SAMPLES
from lexiform.errors import InvalidArgument, NotFound


class Tensor:
    """What PyTorch's tensors have: no array while they need gradients, are on a GPU or have 16 bits."""

    def __init__(self, values: Any, device: str = "cpu", dtype: str = "torch.float32", needs_grad: bool = True) -> None:
        self.values, self.device, self.dtype, self.needs_grad = np.asarray(values), device, dtype, needs_grad

    def detach(self) -> Tensor:
        return Tensor(self.values, self.device, self.dtype, needs_grad=False)

    def cpu(self) -> Tensor:
        return Tensor(self.values, "cpu", self.dtype, self.needs_grad)

    def float(self) -> Tensor:
        return Tensor(self.values, self.device, "torch.float32", self.needs_grad)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        assert not self.needs_grad and self.device == "cpu" and self.dtype == "torch.float32"
        return self.values


class Exporter:
    """An array that only DLPack can hand over."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__()

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()


def test_tensors_are_points(nano: lexiform.Model) -> None:
    points = lexiform.sample(SAMPLES / "armchair.glb", 500)[:, :3].copy()
    expected = nano.encode_points(points)
    for tensor in (Tensor(points), Tensor(points, "cuda:0"), Tensor(points, dtype="torch.bfloat16"), Exporter(points)):
        np.testing.assert_array_equal(nano.encode_points(tensor), expected)
    np.testing.assert_array_equal(nano.encode_points([points.tolist()])[0], expected)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "expected an array, found object"),
        (np.zeros(3, np.float32), "expected 2 axes"),
        (np.full((4, 3), "a"), "expected numbers"),
    ],
)
def test_other_points_are_refused(nano: lexiform.Model, value: Any, reason: str) -> None:
    with pytest.raises(InvalidArgument, match=reason):
        nano.encode_points(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.zeros((3, 8, 8), np.uint8), "channels come last"),
        (np.zeros((8, 8), np.uint8), "height, width, 3 or 4"),
        (np.full((8, 8, 3), 2.5), "found floats from 2.5 to 2.5"),
        (np.zeros((8, 8, 3), np.int64), "found int64"),
        (np.zeros((1, 1, 8, 8, 3), np.uint8), "shape"),
    ],
)
def test_other_pictures_are_refused(nano: lexiform.Model, value: Any, reason: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        nano.encode_images([value])
    assert reason in str(raised.value) or reason in str(raised.value.hint)


def test_pictures_that_are_not_there_are_named(nano: lexiform.Model, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="missing.png"):
        nano.encode_images(tmp_path / "missing.png")


def test_views_have_one_size_and_may_have_alpha(nano: lexiform.Model) -> None:
    views = lexiform.render(SAMPLES / "armchair.glb", 2, rig="ring")
    opaque = np.concatenate([views[1], np.full_like(views[1][..., :1], 255)], axis=2)
    np.testing.assert_allclose(nano.encode_views([views[0], opaque]), nano.encode_views(views), atol=1e-6)
    with pytest.raises(InvalidArgument, match="one size"):
        nano.encode_views([views[0], views[1][:50]])
    with pytest.raises(InvalidArgument, match="found none"):
        nano.encode_views([])


def test_progress_is_a_bar_of_tqdm_or_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lexiform._progress import Progress

    events = [{"event": "planned", "files": 0}, {"event": "planned", "files": 3}]
    events += [{"event": kind} for kind in ("step", "failed", "renamed", "other")]
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with Progress("indexing", True) as progress:
        for event in events:
            progress.on_event(json.dumps(event))
    assert capsys.readouterr().err.endswith("\rindexing: 3 of 3\n")

    class Bar:
        def __init__(self, total: int, desc: str, unit: str) -> None:
            self.total, self.done, self.closed = total, 0, False
            bars.append(self)

        def update(self, steps: int) -> None:
            self.done += steps

        def refresh(self) -> None:
            pass

        def close(self) -> None:
            self.closed = True

    bars: list[Bar] = []
    module = types.ModuleType("tqdm.auto")
    module.tqdm = Bar  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    with Progress("indexing", True) as progress:
        for event in events:
            progress.on_event(json.dumps(event))
    assert [(bar.total, bar.done, bar.closed) for bar in bars] == [(3, 3, True)]
    assert capsys.readouterr().err == ""


def test_progress_can_be_a_function_or_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    from lexiform._progress import Progress

    seen: list[Any] = []
    for progress in (Progress("indexing", seen.append), Progress("indexing", False)):
        with progress:
            progress.on_event('{"event": "planned", "files": 2}')
    assert seen == [{"event": "planned", "files": 2}]
    assert capsys.readouterr() == ("", "")


