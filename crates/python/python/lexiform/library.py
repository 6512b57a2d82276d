"""Libraries: the embeddings of a folder's files, and searches among them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from . import _lexiform
from ._arrays import Floats, PathLike, as_array, as_floats, as_picture, is_path
from ._display import Picture
from ._progress import Progress
from .errors import InvalidArgument
from .model import Model, load
from .shape import contact_sheet

__all__ = ["Library", "Result", "Results"]


class Result:
    """A file that was found.

    Attributes
    ----------
    rank
        From 1.
    score
        Cosine similarity with the query.
    path
        Path of the file.
    name
        Name in the library.
    id
        Id of the record, for ``Library.similar``.
    semantic_rank, name_rank
        Ranks by meaning and by names; ``None`` if not among those.
    metadata
        Format, numbers of triangles and points, extents, names of objects and materials.
    """

    def __init__(self, library: Library, answer: Mapping[str, Any]) -> None:
        self._library = library
        self.rank: int = answer["rank"]
        self.score: float = answer["score"]
        self.path = Path(answer["file"])
        self.id: int = answer["id"]
        self.semantic_rank: int | None = answer["semantic_rank"]
        self.name_rank: int | None = answer["name_rank"]
        self.link: str | None = answer["link"]
        payload = dict(answer["payload"])
        self.name: str = payload.pop("path")
        payload.update(payload.pop("extra", {}))
        self.metadata: dict[str, Any] = payload

    def thumbnail(self) -> bytes | None:
        """A JPEG file of the shape from the front, 160 × 160 pixels; ``None`` for a record of features."""
        return self._library._native.thumbnail(self.id)

    def __repr__(self) -> str:
        return f"<lexiform.Result {self.rank}. {self.name}, {self.score:.3f}>"


class Results(Sequence[Result]):
    """The results of a search, best first.

    Attributes
    ----------
    corrections
        Words that are in no name, with the similar words that names were searched for instead.
    unknown_texts
        Texts that the model does not understand: the answers say little.
    """

    def __init__(self, results: Sequence[Result], corrections: Sequence[Any], unknown_texts: Sequence[str]) -> None:
        self._results = list(results)
        self.corrections: dict[str, str] = {typed: corrected for typed, corrected in corrections}
        self.unknown_texts: list[str] = list(unknown_texts)

    @overload
    def __getitem__(self, index: int) -> Result: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Result]: ...

    def __getitem__(self, index: int | slice) -> Result | Sequence[Result]:
        return self._results[index]

    def __len__(self) -> int:
        return len(self._results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self._results)

    def to_dicts(self) -> list[dict[str, Any]]:
        """One flat dictionary per result."""
        return [
            {"rank": result.rank, "score": result.score, "name": result.name, "path": str(result.path), **result.metadata}
            for result in self._results
        ]

    def to_pandas(self) -> Any:
        """The results as a ``DataFrame``; needs pandas."""
        import pandas

        return pandas.DataFrame(self.to_dicts())

    def show(self, columns: int = 5) -> Picture:
        """A contact sheet of the results, which notebooks show."""
        if not self._results:
            raise InvalidArgument("no results to show")
        blank = np.full((160, 160, 3), 255, np.uint8)
        pictures = [_decoded(result.thumbnail(), blank) for result in self._results]
        captions = [f"{result.name.rsplit('/', 1)[-1]}\n{result.score:.3f}" for result in self._results]
        return contact_sheet(pictures, captions, min(columns, len(pictures)))

    def _repr_png_(self) -> bytes | None:
        return self.show()._repr_png_() if self._results else None

    def __repr__(self) -> str:
        lines = [f"{result.rank:3}. {result.score:6.3f}  {result.name}" for result in self._results]
        if self.unknown_texts:
            lines.append(f"not understood: {', '.join(self.unknown_texts)}")
        return "\n".join(lines) or "no results"


class Library:
    """A library: the embeddings of a folder's files, or of other things with names, by one model.

    Parameters
    ----------
    path
        A folder of 3D files, whose library is inside of it (``.lexiform``), or a folder that is, or becomes, a library of its own.
    model
        A model or its name; the library's first one by default, or ``nano``.
    up
        Up axis of the files: ``y``, ``z``, ``x``, ``auto`` or ``format``; as recorded in the library by default.

    Searching needs no lock; ``index`` and ``add`` lock the library for other writers while they run.

    Examples
    --------
    >>> import lexiform, tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> box = lexiform.Shape.from_mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    >>> box.write(folder / "triangle.glb")
    >>> library = lexiform.Library(folder)
    >>> library.index(progress=False)["indexed"]
    1
    >>> library.search("a triangle", k=3)[0].name
    'triangle.glb'
    """

    def __init__(self, path: PathLike, model: Model | PathLike | None = None, *, up: str | None = None) -> None:
        given = os.fspath(path)
        if model is None:
            recorded = _lexiform.Library.recorded_models(given)
            model = recorded[0] if recorded else "nano"
        #: The model.
        self.model: Model = model if isinstance(model, Model) else load(model, precision="auto")
        self._up = up
        self._native = _lexiform.Library(given, self.model._native, up)

    @property
    def path(self) -> Path:
        """The folder of the library's files."""
        return Path(self._native.folder)

    @property
    def root(self) -> Path | None:
        """The folder of 3D files; ``None`` for a library in a folder of its own."""
        return None if self._native.root is None else Path(self._native.root)

    def index(
        self,
        paths: PathLike | Sequence[PathLike] | None = None,
        *,
        progress: bool | Callable[[dict[str, Any]], None] = True,
        jobs: int = 0,
        prune: bool = False,
        retry_failed: bool = False,
    ) -> dict[str, int]:
        """Adds 3D files, or updates those that have changed. An interrupted run can be repeated: it continues.

        Parameters
        ----------
        paths
            Files and folders; the library's own folder by default.
        progress
            Whether to show a progress bar, or a function that gets each event.
        jobs
            Files read at the same time; one per processor by default.
        prune
            Delete records whose files are missing.
        retry_failed
            Retry files that failed before.

        Returns
        -------
        dict
            Numbers of files by outcome: ``indexed``, ``unchanged``, ``renamed``, ``failed``, ``removed``.
        """
        if paths is None:
            if self.root is None:
                raise InvalidArgument("paths: the library is in a folder of its own, so name the files to add")
            paths = [self.root]
        elif is_path(paths):
            paths = [paths]  # type: ignore[list-item]
        given = [os.fspath(path) for path in paths]  # type: ignore[union-attr]
        with Progress("indexing", progress) as bar:
            summary = self._native.index(
                given, jobs=jobs, prune=prune, retry_failed=retry_failed, on_event=bar.on_event
            )
        counts: dict[str, int] = json.loads(summary)
        return counts

    def add(
        self,
        names: Sequence[str],
        items: Any,
        *,
        source: str = "python",
        prune: bool = False,
        progress: bool | Callable[[dict[str, Any]], None] = False,
    ) -> dict[str, int]:
        """Adds features, or shapes in memory, under names.

        Parameters
        ----------
        names
            A name for each item.
        items
            Features of the library's model, ``[n, dim]``, or a list of shapes as for ``Model.encode_shape``.
        source
            Tells these items from others.
        prune
            Delete what this source had before and no longer has.

        Returns
        -------
        dict
            Numbers of names by outcome.
        """
        is_features = hasattr(items, "shape") and hasattr(items, "dtype")
        features = as_array(items) if is_features else self.model.encode_shape(list(items))
        with Progress("adding", progress) as bar:
            summary = self._native.add_features(
                [str(name) for name in names],
                as_floats(features, "items", 2),
                source,
                prune=prune,
                on_event=bar.on_event,
            )
        counts: dict[str, int] = json.loads(summary)
        return counts

    def search(
        self,
        text: str | Sequence[str] | None = None,
        *,
        images: Any = None,
        shapes: Any = None,
        features: Any = None,
        negative: str | Sequence[str] | None = None,
        where: str | None = None,
        k: int = 10,
        weights: Mapping[str, float] | None = None,
        min_score: float | None = None,
        rank_by: str = "hybrid",
        combine: str = "mean",
    ) -> Results:
        """Searches by text, pictures, shapes, or a mix of them.

        Parameters
        ----------
        text
            What to look for; several texts are mixed.
        images
            A photo or drawing, or several of one object: paths, arrays or pictures of Pillow.
        shapes
            A 3D file or shape to find similar ones of, or several.
        features
            Vectors of the library's model, ``[dim]`` or ``[n, dim]``.
        negative
            Texts to rank down.
        where
            A filter, such as ``"triangles < 10k and format = glb"``; without anything else, files are listed.
        k
            Most results.
        weights
            Weights of ``text``, ``images``, ``shapes``, ``features`` (1 by default) and ``negative`` (0.5).
        min_score
            Only results with at least this cosine similarity.
        rank_by
            ``semantic``, ``name`` or ``hybrid``.
        combine
            ``mean`` of the terms, or ``min``: similar to all of them.
        """
        terms = _Terms(self.model, self._up, weights)
        terms.texts(text, "text", 1.0)
        terms.texts(negative, "negative", -0.5)
        terms.images(images)
        terms.shapes(shapes)
        terms.features(features)
        found = self._native.search(
            terms.as_dict(), k=k, filter=where, combine=combine, rank_by=rank_by, min_score=min_score
        )
        return self._results(found)

    def similar(self, item: int | PathLike | Result, k: int = 10, *, where: str | None = None) -> Results:
        """Records similar to one: a result, its id, or the path or name of a file in the library."""
        if isinstance(item, Result):
            number: int | None = item.id
        elif isinstance(item, int):
            number = item
        else:
            number = self._native.find(os.fspath(item))
        if number is None:
            raise InvalidArgument(f"{item}: not in the library")
        terms = _Terms(self.model, self._up, None)
        terms.records.append((number, 1.0))
        found = self._native.search(
            terms.as_dict(), k=k, filter=where, combine="mean", rank_by="semantic", min_score=None
        )
        return self._results(found)

    def embeddings(self, where: str | None = None) -> tuple[list[str], Floats]:
        """Names and vectors ``[n, dim]`` of all records, or of those that a filter selects."""
        return self._native.embeddings(where)

    def count(self, where: str) -> int:
        """Number of records that a filter selects."""
        return self._native.count(where)

    def failures(self) -> dict[str, str]:
        """Files that could not be indexed, and why."""
        return dict(self._native.failures())

    def _results(self, found: str) -> Results:
        report = json.loads(found)
        results = [Result(self, answer) for answer in report["answers"]]
        return Results(results, report["corrections"], report["unknown_texts"])

    def __len__(self) -> int:
        return len(self._native)

    def __repr__(self) -> str:
        return f"<lexiform.Library {self.root or self.path}: {len(self):,} records, {self.model.id}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # The folder of a library names it, whether it has a root or not.
        return (_reopen, (str(self.path), self.model, self._up))


def _reopen(path: str, model: Model, up: str | None) -> Library:
    return Library(path, model, up=up)


class _Terms:
    """The terms of a query, by what the native part does with them."""

    def __init__(self, model: Model, up: str | None, weights: Mapping[str, float] | None) -> None:
        self._model = model
        self._up = up or "format"
        self._weights = dict(weights or {})
        self.named: list[tuple[str, float]] = []
        self.files: list[tuple[list[str], float]] = []
        self.shape_files: list[tuple[str, float]] = []
        self.records: list[tuple[int, float]] = []
        self.rows: list[Floats] = []
        self.row_weights: list[float] = []
        known = {"text", "images", "shapes", "features", "negative"}
        if unknown := set(self._weights) - known:
            raise InvalidArgument(f"weights: expected {', '.join(sorted(known))}, found {', '.join(sorted(unknown))}")

    def texts(self, given: str | Sequence[str] | None, kind: str, default: float) -> None:
        if given is None:
            return
        weight = self._weights.get(kind, abs(default))
        signed = -abs(weight) if default < 0 else weight
        self.named += [(text, signed) for text in ([given] if isinstance(given, str) else given)]

    def images(self, given: Any) -> None:
        if given is None:
            return
        weight = self._weights.get("images", 1.0)
        pictures = list(given) if isinstance(given, (list, tuple)) or getattr(given, "ndim", 0) == 4 else [given]
        if all(is_path(picture) for picture in pictures):
            self.files.append(([os.fspath(picture) for picture in pictures], weight))
            return
        arrays = [as_picture(picture, "images") for picture in pictures]
        self._add(self._model._native.encode_photo_set(arrays), weight)

    def shapes(self, given: Any) -> None:
        if given is None:
            return
        weight = self._weights.get("shapes", 1.0)
        for shape in given if isinstance(given, (list, tuple)) else [given]:
            if is_path(shape):
                self.shape_files.append((os.fspath(shape), weight))
            else:
                self._add(self._model.encode_shape([shape], up=self._up), weight)

    def features(self, given: Any) -> None:
        if given is None:
            return
        array = as_array(given)
        rows = as_floats(array[None] if array.ndim == 1 else array, "features", 2)
        for row in rows:
            self._add(row[None], self._weights.get("features", 1.0))

    def _add(self, row: Floats, weight: float) -> None:
        self.rows.append(row)
        self.row_weights.append(weight)

    def as_dict(self) -> dict[str, Any]:
        rows = np.concatenate(self.rows) if self.rows else np.empty((0, self._model.dim), np.float32)
        return {
            "texts": self.named,
            "images": self.files,
            "shapes": self.shape_files,
            "records": self.records,
            "features": np.ascontiguousarray(rows, dtype=np.float32),
            "feature_weights": self.row_weights,
        }


def _decoded(jpeg: bytes | None, blank: Any) -> Any:
    return blank if jpeg is None else _lexiform.decode_picture(jpeg)
