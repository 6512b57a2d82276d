"""Batches of torch's workers, decoded in shared memory that is used again.

A worker of a ``DataLoader`` copies the arrays of a batch to new shared memory, which the system clears page by page in both processes; that
takes longer than decoding views. Here views are decoded where they are sent from, and the memory is free again once the main process has
dropped the batch.
"""

from __future__ import annotations

import functools
import itertools
import mmap
import os
import sys
import weakref
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["BatchMemory", "BatchViews", "SharedBatch"]

#: Where files are shared memory.
_FOLDER = Path("/dev/shm")
#: Bytes before the pixels; the first says whether the main process has the batch.
_HEADER = 64
_FREE, _SENT = 0, 1
#: Most batches of one worker.
_MAX_BATCHES = 64

_numbers = itertools.count()
#: The memory that this process has received, by name.
_received: dict[str, mmap.mmap] = {}


class SharedBatch:
    """Shared memory for the views of all items of a batch."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.name = f"lexiform-{os.getpid()}-{next(_numbers)}"
        size = _HEADER + int(np.prod(shape))
        file = os.open(_FOLDER / self.name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        # The receiver removes the name; if none comes, this process does when it ends.
        Finalize(self, _remove, (self.name,), exitpriority=0)
        try:
            # Fails now instead of while pixels are written, if there is too little memory.
            os.posix_fallocate(file, 0, size)
            self._memory = mmap.mmap(file, size)
        finally:
            os.close(file)
        self._pixels = np.frombuffer(self._memory, np.uint8, offset=_HEADER)
        #: Whether it became a tensor; a transform may make other arrays of the views.
        self.is_collated = False

    def is_free(self) -> bool:
        """Whether neither the receiver nor anything here refers to the pixels."""
        return self._memory[0] == _FREE and sys.getrefcount(self._pixels) == _REFERENCES

    def place(self, index: int) -> BatchViews:
        """Where the views of one item go."""
        views: BatchViews = self._pixels.reshape(self.shape)[index].view(BatchViews)
        views.batch, views.index = self, index
        return views

    def tensor(self) -> Any:
        """The batch as a tensor, which is sent without a copy."""
        self.is_collated = True
        tensor = _torch().from_numpy(self._pixels.reshape(self.shape)).as_subclass(_tensor_type())
        tensor.batch = self
        return tensor

    def send(self) -> tuple[Any, ...]:
        """Marks the memory as in use, and returns what makes a tensor of it where it is received."""
        self._memory[0] = _SENT
        return (_receive, (self.name, self.shape))


class BatchViews(np.ndarray[Any, np.dtype[np.uint8]]):
    """Views of an item in the memory of its batch; what is computed from them is not there."""

    batch: SharedBatch | None
    index: int

    def __array_finalize__(self, source: object) -> None:
        self.batch, self.index = None, 0


class BatchMemory:
    """The memory of a worker's batches."""

    def __init__(self) -> None:
        self._batches: list[SharedBatch] = []
        self._last: SharedBatch | None = None

    def next(self, shape: tuple[int, ...]) -> SharedBatch | None:
        """Memory for a batch ``[items, views, height, width, 3]``; ``None`` where it is of no use: outside of torch's workers, or if the
        last batch became other arrays."""
        if not _is_worker() or (self._last is not None and not self._last.is_collated):
            return None
        self._last = self._free(shape)
        if self._last is not None:
            self._last.is_collated = False
        return self._last

    def _free(self, shape: tuple[int, ...]) -> SharedBatch | None:
        for batch in self._batches:
            if batch.shape == shape and batch.is_free():
                return batch
        if len(self._batches) == _MAX_BATCHES:
            return None
        try:
            self._batches.append(SharedBatch(shape))
        except OSError:
            # No such folder on this system, or no memory left: torch's own way says what is wrong.
            return None
        return self._batches[-1]


def _references() -> int:
    class Holder:
        def __init__(self) -> None:
            self.pixels = np.empty(1, np.uint8)

        def count(self) -> int:
            return sys.getrefcount(self.pixels)

    return Holder().count()


#: What ``is_free`` counts for pixels that nothing else refers to; it depends on the version of Python.
_REFERENCES = _references()


def _torch() -> Any:
    return sys.modules["torch"]


@functools.cache
def _tensor_type() -> type:
    """The type of tensors that are sent by name; what is computed from them are plain tensors."""
    torch = _torch()

    class BatchTensor(torch.Tensor):  # type: ignore[misc, name-defined]
        __torch_function__ = torch._C._disabled_torch_function_impl

        def __reduce_ex__(self, protocol: Any) -> Any:
            return self.batch.send()

    return BatchTensor


def _is_worker() -> bool:
    """Whether this is a worker of torch; its collation then knows the views of a batch."""
    torch: Any = sys.modules.get("torch")
    if torch is None or torch.utils.data.get_worker_info() is None:
        return False
    try:
        _tensor_type()
        torch.utils.data._utils.collate.default_collate_fn_map.setdefault(BatchViews, _collate)
    except AttributeError:
        # Another version of torch copies the views.
        return False
    return True


def _collate(items: list[BatchViews], *, collate_fn_map: Any = None) -> Any:
    """The batch that the items make up, in order; otherwise a copy of them."""
    batch = items[0].batch
    if (
        batch is not None
        and len(items) == batch.shape[0]
        and all(item.batch is batch and item.index == index for index, item in enumerate(items))
    ):
        return batch.tensor()
    arrays = [_torch().as_tensor(np.asarray(item)) for item in items]
    return _torch().utils.data._utils.collate.collate(arrays, collate_fn_map=collate_fn_map)


def _receive(name: str, shape: tuple[int, ...]) -> Any:
    """The tensor of a batch that a worker sent. Its memory is free again when nothing refers to the tensor."""
    memory = _received.get(name)
    if memory is None:
        _forget_ended()
        path = _FOLDER / name
        with path.open("r+b") as file:
            memory = _received[name] = mmap.mmap(file.fileno(), 0)
        path.unlink()
    pixels = np.frombuffer(memory, np.uint8, offset=_HEADER)
    weakref.finalize(pixels, _release, memory, os.getpid()).atexit = False
    return _torch().from_numpy(pixels.reshape(shape))


def _release(memory: mmap.mmap, process: int) -> None:
    # A process that was forked later has the same objects, but the batch is not its own.
    if os.getpid() == process:
        memory[0] = _FREE


def _forget_ended() -> None:
    """Drops the memory of workers that have ended."""
    for name in list(_received):
        try:
            os.kill(int(name.split("-")[1]), 0)
        except ProcessLookupError:
            del _received[name]


def _remove(name: str) -> None:
    (_FOLDER / name).unlink(missing_ok=True)
