"""Data sets: shapes on disk with views, points, captions and labels, for training loops of torch and others."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from . import _lexiform
from ._arrays import PathLike, is_path
from ._batches import BatchMemory, BatchViews
from ._memory import ReusedMemory
from ._progress import Progress
from .errors import InvalidArgument

__all__ = ["Dataset", "prepare"]

#: Color of points without one, as in OpenShape.
_GRAY = 0.4


class Dataset:
    """A data set that ``lexiform data prepare`` or ``prepare`` made, or that was imported from another project.

    Map-style and iterable: ``torch.utils.data.DataLoader`` reads it, with workers too. An item is a dictionary with ``key``,
    ``label``, ``caption``, ``split``, and as asked for ``views`` ``[n, height, width, 3]`` and ``points`` ``[n, 6]``: positions, and
    sRGB colors from 0 to 1.

    Parameters
    ----------
    path
        Folder of the data set.
    split
        Only shapes of ``train``, ``val`` or ``test``.
    views
        Views of an item: ``all``, a number of views that are sampled anew for each epoch, a list of indices, or ``None``.
    points
        Points of an item: ``all``, a number of points that are sampled anew for each epoch, or ``None``.
    colors
        Whether points have colors; those of a shape without any are gray, 0.4. Without colors, points are ``[n, 3]``.
    seed
        Seed of what is sampled.
    transform
        Called with each item; its result is returned instead.
    """

    def __init__(
        self,
        path: PathLike,
        *,
        split: str | None = None,
        views: str | int | Sequence[int] | None = "all",
        points: str | int | None = "all",
        colors: bool = True,
        seed: int = 0,
        transform: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        self.path = os.fspath(path)
        #: Selects what is sampled; set it at the start of an epoch.
        self.epoch = 0
        self._options = {
            "split": split,
            "views": views,
            "points": points,
            "colors": colors,
            "seed": seed,
            "transform": transform,
        }
        self._views, self._points, self._seed, self._transform = views, points, seed, transform
        self._columns = 6 if colors else 3
        for name, value in (("views", views), ("points", points)):
            if (isinstance(value, str) and value != "all") or (isinstance(value, int) and value < 1):
                raise InvalidArgument(f"{name}: expected all, a number from 1 or None, found {value!r}")
        self._native = _lexiform.Dataset(self.path)
        self._memory = ReusedMemory()
        self._batches = BatchMemory()
        #: Of the last item: most have the same.
        self._views_shape: tuple[int, ...] = ()
        count = len(self._native)
        self._shapes = [i for i in range(count) if split is None or self._native.split(i) == split]
        if split is not None and not self._shapes:
            found = sorted({self._native.split(i) for i in range(count)})
            raise InvalidArgument(f"split: no shape in {split!r}", f"the data set has {', '.join(found) or 'no shapes'}")

    def __len__(self) -> int:
        return len(self._shapes)

    @property
    def keys(self) -> list[str]:
        """The key of each shape."""
        return [self._native.key(shape) for shape in self._shapes]

    @property
    def labels(self) -> list[str | None]:
        """The label of each shape; ``None`` for one without."""
        return [self._native.label(shape) for shape in self._shapes]

    def find(self, key: str) -> int | None:
        """The index of the shape with a key."""
        shape = self._native.find(key)
        return self._shapes.index(shape) if shape in self._shapes else None

    def metadata(self, index: int) -> dict[str, Any]:
        """Labels, captions with their sources, extents and more of a shape."""
        found: dict[str, Any] = json.loads(self._native.metadata(self._at(index)))
        return found

    def views(self, index: int, which: Sequence[int] | None = None) -> Any:
        """Views of a shape, ``[n, height, width, 3]``; all by default."""
        shape = self._at(index)
        return self._views_of(shape, self._native.view_indices(shape) if which is None else list(which))

    def points(self, index: int) -> Any:
        """All points of a shape, ``[n, 3]``, or ``[n, 6]`` with sRGB colors from 0 to 1; ``None`` if it has none."""
        return self._native.points(self._at(index))

    def __getitem__(self, index: int) -> Any:
        return self._item(index, None)

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The items of a batch, as torch's ``DataLoader`` asks for them."""
        batch = self._batches.next((len(indices), *self._views_shape)) if self._views_shape else None
        return [self._item(index, batch.place(i) if batch else None) for i, index in enumerate(indices)]

    def _item(self, index: int, place: BatchViews | None) -> Any:
        shape = self._at(index)
        generator = np.random.default_rng((self._seed, self.epoch, shape))
        item: dict[str, Any] = {
            "key": self._native.key(shape),
            "label": self._native.label(shape) or "",
            "split": self._native.split(shape),
        }
        captions = json.loads(self._native.metadata(shape)).get("captions", [])
        texts = [caption["text"] for caption in captions if "text" in caption]
        item["caption"] = str(texts[generator.integers(len(texts))]) if texts else item["label"]
        if self._views is not None:
            item["views"] = self._views_of(shape, self._chosen_views(shape, generator), place)
        if self._points is not None:
            points = self._native.points(shape)
            if points is not None:
                item["points"] = self._chosen_points(points, generator)
        return item if self._transform is None else self._transform(item)

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def _views_of(self, shape: int, which: list[int], place: BatchViews | None = None) -> Any:
        free = self._memory.unused(len(which)) if place is None else place
        views = self._native.views(shape, which, free)
        self._views_shape = views.shape
        if views is not free:
            self._memory.keep(views)
        return views

    def _chosen_views(self, shape: int, generator: np.random.Generator) -> list[int]:
        present = self._native.view_indices(shape)
        if isinstance(self._views, int):
            # With repetition only where there are too few.
            chosen = generator.choice(len(present), self._views, replace=len(present) < self._views)
            return [present[i] for i in sorted(chosen)]
        return present if isinstance(self._views, str) or self._views is None else list(self._views)

    def _chosen_points(self, points: Any, generator: np.random.Generator) -> Any:
        if isinstance(self._points, int):
            points = points[generator.choice(len(points), self._points, replace=len(points) < self._points)]
        if points.shape[1] >= self._columns:
            return points[:, : self._columns]
        return np.concatenate([points, np.full((len(points), 3), _GRAY, points.dtype)], axis=1)

    def _at(self, index: int) -> int:
        # `IndexError` ends a loop over a sequence.
        return self._shapes[index]

    def __repr__(self) -> str:
        return f"<lexiform.data.Dataset {self.path}: {len(self):,} shapes>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_reopen, (self.path, self._options, self.epoch))


def _reopen(path: str, options: dict[str, Any], epoch: int) -> Dataset:
    dataset = Dataset(path, **options)
    dataset.epoch = epoch
    return dataset


def prepare(
    sources: PathLike | Sequence[PathLike],
    out: PathLike,
    *,
    views: int = 12,
    size: int = 224,
    rig: str = "zero123",
    image_format: str = "qoi",
    points: int = 10_000,
    up: str = "format",
    seed: int = 0,
    val_fraction: float = 0.0,
    folder_labels: bool = False,
    jobs: int = 0,
    progress: bool | Callable[[dict[str, Any]], None] = True,
) -> Dataset:
    """Renders and samples 3D files into a data set. An interrupted run can be repeated: it continues.

    Parameters
    ----------
    sources
        Folders, files or lists of files.
    out
        Folder of the data set.
    views, size, rig
        Views per shape, their width and height in pixels, and camera positions: ``zero123``, ``openshape`` or ``ring``.
    image_format
        Image format of the views: ``qoi`` is lossless and the fastest to decode; ``png``, ``webp`` (lossless) and ``jpeg``.
    points
        Points per shape; 0 for none.
    up
        Up axis of the files: ``y``, ``z``, ``x``, ``auto`` or ``format``.
    seed
        Seed of cameras and points.
    val_fraction
        Fraction of the shapes in the split ``val``.
    folder_labels
        Whether the folder of a file is its label.
    jobs
        Shapes made at the same time; one per processor by default.
    progress
        Whether to show a progress bar, or a function that gets each event.
    """
    given = [sources] if is_path(sources) else sources
    with Progress("preparing", progress) as bar:
        _lexiform.prepare(
            [os.fspath(source) for source in given],  # type: ignore[union-attr, arg-type]
            os.fspath(out),
            views=views,
            size=size,
            rig=rig,
            image_format=image_format,
            points=points,
            up=up,
            seed=seed,
            val_fraction=val_fraction,
            folder_labels=folder_labels,
            jobs=jobs,
            on_event=bar.on_event,
        )
    return Dataset(out)
