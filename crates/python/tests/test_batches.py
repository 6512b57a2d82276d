"""Batches in shared memory: by a stand-in for what torch does, and by torch where it is installed."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lexiform import _batches
from lexiform._batches import BatchMemory
from lexiform.data import Dataset

needs_shared_memory = pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="the system has no /dev/shm")


class FakeTensor(np.ndarray[Any, np.dtype[np.uint8]]):
    """As much of a tensor as a batch needs."""

    def as_subclass(self, kind: type) -> Any:
        return self.view(kind)


@pytest.fixture
def fake_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    collating = SimpleNamespace(
        default_collate_fn_map={}, collate=lambda arrays, collate_fn_map: np.stack(arrays).view(FakeTensor)
    )
    data = SimpleNamespace(get_worker_info=lambda: 0, _utils=SimpleNamespace(collate=collating))
    torch = SimpleNamespace(
        Tensor=FakeTensor,
        _C=SimpleNamespace(_disabled_torch_function_impl=None),
        from_numpy=lambda array: array.view(FakeTensor),
        as_tensor=np.asarray,
        utils=SimpleNamespace(data=data),
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    _batches._tensor_type.cache_clear()
    yield torch
    _batches._tensor_type.cache_clear()


def names() -> set[str]:
    """Shared memory of this process that nobody has received."""
    return {path.name for path in Path("/dev/shm").glob(f"lexiform-{os.getpid()}-*")}


@needs_shared_memory
def test_a_batch_is_sent_without_a_copy_and_its_memory_used_again(fake_torch: SimpleNamespace) -> None:
    memory = BatchMemory()
    pixels = np.random.default_rng(0).integers(0, 256, (3, 2, 4, 4, 3), np.uint8)

    def sent() -> bytes:
        batch = memory.next(pixels.shape)
        assert batch is not None
        items = [batch.place(i) for i in range(3)]
        for item, views in zip(items, pixels):
            item[...] = views
        tensor = fake_torch.utils.data._utils.collate.default_collate_fn_map[_batches.BatchViews](items)
        return pickle.dumps(tensor)

    first = pickle.loads(sent())
    assert names() == set(), "the receiver removes the name"
    part = first[1, 0]
    # The receiver has the first one; another is made.
    second = pickle.loads(sent())
    assert not np.shares_memory(first, second) and len(memory._batches) == 2
    np.testing.assert_array_equal(first, pixels)
    del first
    pickle.loads(sent())
    assert len(memory._batches) == 3, "a part keeps the whole"
    np.testing.assert_array_equal(part, pixels[1, 0])
    del part, second
    for _ in range(5):
        np.testing.assert_array_equal(pickle.loads(sent()), pixels)
    assert len(memory._batches) == 3


@needs_shared_memory
def test_what_is_no_batch_is_copied(fake_torch: SimpleNamespace) -> None:
    memory = BatchMemory()
    batch = memory.next((2, 1, 2, 2, 3))
    assert batch is not None
    items = [batch.place(i) for i in range(2)]
    for i, item in enumerate(items):
        item[...] = i
    swapped = _batches._collate(items[::-1])
    assert swapped[:, 0, 0, 0, 0].tolist() == [1, 0] and not np.shares_memory(swapped, items[0])
    assert _batches._collate([items[0][:, :1], items[1][:, :1]]).shape == (2, 1, 1, 2, 3)
    # A transform makes other arrays: the next batches do without.
    assert memory.next((2, 1, 2, 2, 3)) is None
    del items, item, swapped, batch, memory
    assert names() == set(), "what is not sent is removed"


@needs_shared_memory
def test_memory_is_for_workers_of_torch(fake_torch: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = (1, 1, 2, 2, 3)
    monkeypatch.setattr(_batches.os, "posix_fallocate", lambda *_: (_ for _ in ()).throw(OSError("full")))
    assert BatchMemory().next(shape) is None and names() == set()
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "torch", fake_torch)
    del fake_torch.utils.data._utils.collate.default_collate_fn_map
    assert BatchMemory().next(shape) is None, "another version of torch"
    fake_torch.utils.data.get_worker_info = lambda: None
    assert BatchMemory().next(shape) is None, "the main process"
    monkeypatch.delitem(sys.modules, "torch")
    assert BatchMemory().next(shape) is None


def test_ended_workers_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = os.fork()
    if ended == 0:
        os._exit(0)
    os.waitpid(ended, 0)
    kept = f"lexiform-{os.getpid()}-0"
    monkeypatch.setattr(_batches, "_received", {f"lexiform-{ended}-0": None, kept: None})
    _batches._forget_ended()
    assert list(_batches._received) == [kept]


def test_items_are_those_of_single_reads(dataset_path: Path) -> None:
    dataset = Dataset(dataset_path, views=2, points=64)
    for item, index in zip(dataset.__getitems__([2, 0]), (2, 0)):
        np.testing.assert_array_equal(item["views"], dataset[index]["views"])


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_torch_loads_what_single_reads_have(dataset_path: Path, start: str) -> None:
    torch = pytest.importorskip("torch")
    dataset = Dataset(dataset_path, views=2, points=None)
    expected = [dataset[i]["views"].copy() for i in range(4)]
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=2, num_workers=2, persistent_workers=True, multiprocessing_context=start
    )
    for _ in range(4):
        batches = [batch["views"] for batch in loader]
        assert all(type(batch) is torch.Tensor for batch in batches)
        np.testing.assert_array_equal(torch.cat(batches).numpy(), np.stack(expected))
