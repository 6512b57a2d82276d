"""Memory of arrays that nobody refers to any more."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ._arrays import Bytes

__all__ = ["ReusedMemory"]

#: Bytes that are kept for the next arrays.
_LIMIT = 64 << 20


class ReusedMemory:
    """Arrays that are filled again once only this object refers to their memory.

    The system clears fresh memory page by page, which takes as long as decoding views into it.
    """

    def __init__(self) -> None:
        # The arrays that own the memory, with the shape they were used in. Whatever shows a part of the memory refers to its owner.
        self._owners: list[tuple[Any, tuple[int, ...]]] = []
        self._size = 0

    def unused(self, length: int) -> Bytes | None:
        """An array of this length, whose memory nobody else has."""
        for owner, shape in self._owners:
            if sys.getrefcount(owner) == _REFERENCES and shape[0] == length:
                array: Bytes = owner.reshape(shape)
                return array
        return None

    def keep(self, array: Bytes) -> None:
        """Keeps the memory of an array for later, unless there is enough."""
        if self._size + array.nbytes <= _LIMIT:
            owner = array.base if isinstance(array.base, np.ndarray) else array
            self._owners.append((owner, array.shape))
            self._size += array.nbytes


def _references() -> int:
    """What the loop of ``unused`` counts for an owner that nobody else refers to; it depends on the version of Python."""
    for owner, _ in [(np.empty(1, np.uint8), 1)]:
        return sys.getrefcount(owner)
    raise AssertionError


_REFERENCES = _references()
