"""Data sets, as training loops read them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import lexiform
from conftest import SAMPLES
from lexiform.data import Dataset, prepare


def test_items_have_views_points_and_texts(dataset_path: Path) -> None:
    dataset = Dataset(dataset_path)
    assert sorted(filter(None, dataset.labels)) == ["fruit", "fruit", "seat", "tool"]
    item = dataset[dataset.labels.index("seat")]
    assert item["views"].shape == (4, 64, 64, 3) and item["views"].dtype == np.uint8
    assert item["points"].shape == (500, 6) and item["points"].dtype == np.float32
    assert item["label"] == "seat" and item["split"] == "train" and isinstance(item["caption"], str)
    index = dataset.find(item["key"])
    assert index is not None and dataset.keys[index] == item["key"]
    metadata = dataset.metadata(index)
    assert metadata["labels"] == ["seat"] and len(metadata["extents"]) == 3
    np.testing.assert_array_equal(dataset.views(index, [2]), item["views"][2:3])
    np.testing.assert_array_equal(dataset.points(index), item["points"])
    assert "4 shapes" in repr(dataset) and dataset.find("nothing") is None


def test_samples_follow_from_seed_and_epoch(dataset_path: Path) -> None:
    dataset = Dataset(dataset_path, views=2, points=100, seed=5)
    first = dataset[0]
    assert first["views"].shape == (2, 64, 64, 3) and first["points"].shape == (100, 6)
    np.testing.assert_array_equal(dataset[0]["points"], first["points"])
    dataset.epoch = 1
    assert not np.array_equal(dataset[0]["points"], first["points"])
    assert Dataset(dataset_path, views=9)[0]["views"].shape[0] == 9, "with repetition"
    assert Dataset(dataset_path, views=[3, 0], points=None)[0]["views"].shape[0] == 2
    assert "views" not in Dataset(dataset_path, views=None)[0]
    # The axe is an STL file without colors.
    axe = Dataset(dataset_path, points=20)[dataset.labels.index("tool")]["points"]
    assert axe.shape == (20, 6) and (axe[:, 3:] == np.float32(0.4)).all()
    assert all(item["points"].shape == (500, 3) for item in Dataset(dataset_path, colors=False))


def test_memory_of_views_is_used_again_only_if_nobody_has_it(dataset_path: Path) -> None:
    dataset = Dataset(dataset_path, views=2)
    expected = [Dataset(dataset_path, views=2)[i]["views"].copy() for i in range(4)]
    held = [dataset[i]["views"] for i in range(3)]
    for views, pixels in zip(held, expected):
        np.testing.assert_array_equal(views, pixels)
    part = held[1][0, :5]
    place = held[0].ctypes.data
    del held, views
    again = dataset[3]["views"]
    assert again.ctypes.data == place
    np.testing.assert_array_equal(again, expected[3])
    # A part of an array keeps the whole of it.
    others = [dataset[i]["views"] for i in range(4)]
    assert not any(np.shares_memory(part, other) for other in others)
    np.testing.assert_array_equal(part, expected[1][0, :5])
    # Another number of views has another array.
    assert Dataset.views(dataset, 0).shape == (4, 64, 64, 3)


def test_splits_transforms_and_loops(dataset_path: Path) -> None:
    train, test = Dataset(dataset_path, split="train"), Dataset(dataset_path, split="test")
    assert len(train) + len(test) == 4 and {item["split"] for item in train} == {"train"}
    assert list(Dataset(dataset_path, transform=lambda item: item["label"]))[0] in ("fruit", "seat", "tool")
    with pytest.raises(IndexError):
        train[len(train)]
    with pytest.raises(lexiform.InvalidArgument, match="has"):
        Dataset(dataset_path, split="validation")
    for options in ({"views": 0}, {"points": "some"}):
        with pytest.raises(lexiform.InvalidArgument):
            Dataset(dataset_path, **options)  # type: ignore[arg-type]


def test_data_sets_are_pickled_as_their_path(dataset_path: Path) -> None:
    dataset = Dataset(dataset_path, views=2, seed=1)
    dataset.epoch = 3
    again = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(again[1]["views"], dataset[1]["views"])


def test_torch_loads_with_workers(dataset_path: Path) -> None:
    torch = pytest.importorskip("torch")
    loader = torch.utils.data.DataLoader(Dataset(dataset_path, views=2, points=64), batch_size=2, num_workers=2)
    batches = list(loader)
    assert len(batches) == 2 and batches[0]["views"].shape == (2, 2, 64, 64, 3)


def test_what_is_no_data_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(lexiform.DataError):
        Dataset(tmp_path)
    with pytest.raises(lexiform.LexiformError):
        prepare(tmp_path / "missing", tmp_path / "out", progress=False)
    for options in ({"rig": "spiral"}, {"image_format": "gif"}, {"val_fraction": 2.0}, {"up": "w"}):
        with pytest.raises(lexiform.InvalidArgument):
            prepare(SAMPLES, tmp_path / "out", progress=False, **options)
