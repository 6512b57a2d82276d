"""Models: texts, pictures and shapes as vectors of one space."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _lexiform
from ._arrays import Floats, PathLike, as_array, as_floats, as_picture, is_path, stack_of
from .errors import InvalidArgument
from .shape import Shape, as_shape

__all__ = ["Label", "Model", "RegisteredModel", "load", "models"]

_CHUNK = 16


class Label(NamedTuple):
    """A label with its probability among all given ones."""

    label: str
    probability: float


class RegisteredModel(NamedTuple):
    """A model that ``load`` knows by name."""

    name: str
    input: str
    dim: int
    license: str
    description: str


class Model:
    """A model that embeds texts, pictures and 3D shapes in one space; open one with ``load``.

    All ``encode`` methods return unit vectors of type ``float32``: shape ``[dim]`` for one input and ``[n, dim]`` for a list, so
    that ``a @ b.T`` has cosine similarities. They release the interpreter's lock. Inputs are NumPy arrays, tensors (torch, DLPack),
    pictures of Pillow, paths, or shapes of other libraries.
    """

    def __init__(self, native: _lexiform.Model, options: dict[str, Any]) -> None:
        self._native = native
        self._options = options
        self._captioners: dict[str | None, _lexiform.Captioner] = {}

    @property
    def name(self) -> str:
        """Name or path that the model was opened by."""
        return self._native.name

    @property
    def id(self) -> str:
        """Identifies the exact weights; vectors of different ids cannot be compared."""
        return self._native.id

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._native.dim

    @property
    def input(self) -> str:
        """What of a shape the model sees: ``views``, ``points`` or ``views and points``."""
        return self._native.input

    @property
    def n_views(self) -> int | None:
        """Number of views that a shape is rendered to; ``None`` for a model of points."""
        return self._native.views[0] if self._native.views else None

    @property
    def view_size(self) -> int | None:
        """Width and height of a view in pixels; ``None`` for a model of points."""
        return self._native.views[1] if self._native.views else None

    @property
    def n_points(self) -> int | None:
        """Number of points of a point cloud; ``None`` for a model of views."""
        return self._native.points

    @property
    def templates(self) -> list[str]:
        """Sentences for ``classify``, with ``{}`` for the label."""
        return self._native.templates

    @property
    def logit_scale(self) -> float:
        """Logarithm of the factor between cosine similarity and logit."""
        return self._native.logit_scale

    def understands(self, text: str) -> bool | None:
        """Whether a text is about something that the model knows; ``None`` if that cannot be said.

        Examples
        --------
        >>> import lexiform
        >>> model = lexiform.load("nano")
        >>> model.understands("something to sit on"), model.understands("qwertyuiop")
        (True, False)
        """
        return self._native.understands(text)

    def encode_text(self, text: str | Sequence[str]) -> Floats:
        """Vectors of texts.

        Parameters
        ----------
        text
            A text, or several.

        Returns
        -------
        ndarray
            ``[dim]`` for one text, ``[n, dim]`` for several.

        Examples
        --------
        >>> import lexiform
        >>> model = lexiform.load("nano")
        >>> chair, armchair, plane = model.encode_text(["a chair", "an armchair", "an airplane"])
        >>> bool(chair @ armchair > chair @ plane)
        True
        """
        is_one = isinstance(text, str)
        texts = [text] if isinstance(text, str) else list(text)
        if other := next((item for item in texts if not isinstance(item, str)), None):
            raise InvalidArgument(f"text: expected a string, found {type(other).__name__}")
        if any(not item.strip() for item in texts):
            raise InvalidArgument("text: expected words, found an empty text")
        return self._rows(self._chunked(texts, self._native.encode_texts, 256), is_one)

    def encode_images(self, images: Any) -> Floats:
        """Vectors of photos or drawings, each on its own.

        Parameters
        ----------
        images
            A picture: a path, ``[height, width, 3 or 4]`` in bytes or in floats from 0 to 1, or a picture of Pillow. Or several: a
            list, or ``[n, height, width, 3 or 4]``.

        Returns
        -------
        ndarray
            ``[dim]`` for one picture, ``[n, dim]`` for several.
        """
        is_one = _is_picture(images)
        pictures = [as_picture(image) for image in ([images] if is_one else images)]
        return self._rows(self._chunked(pictures, self._native.encode_photos, _CHUNK), is_one)

    def encode_views(self, views: Any) -> Floats:
        """Vectors of shapes that are given as views: pictures of one object from several sides.

        Parameters
        ----------
        views
            The views of a shape: ``[n_views, height, width, 3 or 4]``, a list of pictures, a folder of pictures or a strip
            of views. Or several shapes: a list of arrays, or ``[n, n_views, height, width, 3 or 4]``.

        Returns
        -------
        ndarray
            ``[dim]`` for one shape, ``[n, dim]`` for several.
        """
        if is_path(views):
            rows = self._native.encode_file(os.fspath(views), "format")
            return self._rows(rows, is_one=True)
        if isinstance(views, (list, tuple)):
            is_one = all(_is_picture(view) for view in views)
            sets = [stack_of(views, "views")] if is_one else [self._view_set(view) for view in views]
        else:
            array = as_array(views)
            is_one = array.ndim == 4
            if array.ndim not in (4, 5):
                found = list(array.shape)
                raise InvalidArgument(f"views: expected shape [n_views, height, width, 3], found {found}")
            sets = [stack_of(view, "views") for view in ([array] if is_one else array)]
        return self._rows(self._chunked(sets, self._native.encode_views, _CHUNK), is_one)

    def encode_points(self, points: Any) -> Floats:
        """Vectors of point clouds.

        Parameters
        ----------
        points
            A point cloud, +Y up, at any scale: ``[n_points, 3]``, or ``[n_points, 6]`` with sRGB colors from 0 to 1. Or several: a
            list, or ``[n, n_points, 3 or 6]``.

        Returns
        -------
        ndarray
            ``[dim]`` for one point cloud, ``[n, dim]`` for several.
        """
        is_one = not isinstance(points, (list, tuple)) and as_array(points).ndim == 2
        clouds = [as_floats(cloud, "points", 2) for cloud in ([points] if is_one else points)]
        return self._rows(self._chunked(clouds, self._native.encode_points, _CHUNK), is_one)

    def encode_shape(self, shape: Any, *, up: str = "format") -> Floats:
        """Vectors of 3D shapes, rendered or sampled as the model needs them.

        Parameters
        ----------
        shape
            A path of any file that Lexiform reads, its content as ``bytes``, a ``Shape``, a mesh of trimesh or
            Open3D, or a dictionary of arrays (see ``shape.as_shape``). Or a list of these.
        up
            Up axis of files: ``y``, ``z``, ``x``, ``auto`` to decide from each shape, or ``format`` for what the format says.

        Returns
        -------
        ndarray
            ``[dim]`` for one shape, ``[n, dim]`` for several.
        """
        is_one = not isinstance(shape, (list, tuple))
        shapes = [shape] if is_one else shape

        def encode(chunk: list[Any]) -> Floats:
            read = [as_shape(item, up=up)._native for item in chunk]
            return self._native.encode_shapes(read)

        return self._rows(self._chunked(shapes, encode, _CHUNK), is_one)

    def classify(
        self, inputs: Any, labels: Sequence[str], *, templates: Sequence[str] | None = None, up: str = "format"
    ) -> Any:
        """Labels with their probabilities, best first.

        Parameters
        ----------
        inputs
            Vectors of this model, ``[dim]`` or ``[n, dim]``, or shapes as for ``encode_shape``.
        labels
            The labels to choose from.
        templates
            Sentences with ``{}`` for the label; those of the model by default.

        Returns
        -------
        list
            A list of ``Label`` for one input, a list of such lists for several.

        Examples
        --------
        >>> import lexiform
        >>> model = lexiform.load("nano")
        >>> model.classify(model.encode_text("an armchair"), ["airplane", "chair"])[0].label
        'chair'
        """
        rows, is_one = self._features(inputs, up)
        given = None if templates is None else list(templates)
        scored = self._native.classify(rows, list(labels), given)
        found = [[Label(label, probability) for label, probability in row] for row in scored]
        return found[0] if is_one else found

    def caption(self, inputs: Any, *, captioner: PathLike | None = None, up: str = "format") -> Any:
        """Sentences about shapes: kind, color, material, parts.

        Parameters
        ----------
        inputs
            Vectors of this model, ``[dim]`` or ``[n, dim]``, or shapes as for ``encode_shape``.
        captioner
            A file that ``lexiform model train-captioner`` wrote for this model; ``nano`` has one built in.

        Returns
        -------
        str or list
            A sentence for one input, a list of sentences for several.

        Examples
        --------
        >>> import lexiform
        >>> model = lexiform.load("nano")
        >>> "banana" in model.caption(model.encode_text("a yellow banana"))
        True
        """
        key = None if captioner is None else os.fspath(captioner)
        if key not in self._captioners:
            self._captioners[key] = _lexiform.Captioner(key)
        native = self._captioners[key]
        if native.model and native.model != self.id:
            raise InvalidArgument(
                f"the captioner describes vectors of {native.model}, not of {self.id}",
                "train one: lexiform model train-captioner MODEL OUT",
            )
        rows, is_one = self._features(inputs, up)
        sentences = native.caption(rows)
        return sentences[0] if is_one else sentences

    def similarity(self, a: Any, b: Any) -> npt.NDArray[np.float32]:
        """Cosine similarities of vectors: ``[n, dim]`` and ``[m, dim]`` give ``[n, m]``."""
        rows = [as_array(value).astype(np.float32, copy=False) for value in (a, b)]
        unit = [row / np.linalg.norm(row, axis=-1, keepdims=True) for row in rows]
        return np.asarray(unit[0] @ unit[1].T, dtype=np.float32)

    def _features(self, inputs: Any, up: str) -> tuple[Floats, bool]:
        """Vectors as they are, or of shapes, and whether it is one."""
        is_features = hasattr(inputs, "shape") and hasattr(inputs, "dtype")
        features = as_array(inputs) if is_features else self.encode_shape(inputs, up=up)
        is_one = features.ndim == 1
        return as_floats(features[None] if is_one else features, "inputs", 2), is_one

    def _view_set(self, views: Any) -> Any:
        if is_path(views):
            raise InvalidArgument("views: expected arrays in a list of several shapes, found a path")
        return stack_of(views, "views")

    def _chunked(self, items: Sequence[Any], encode: Any, size: int) -> Floats:
        """Encodes chunk by chunk, so that an interrupt is noticed in between."""
        if len(items) <= size:
            return encode(list(items)) if items else np.empty((0, self.dim), np.float32)
        starts = range(0, len(items), size)
        return np.concatenate([encode(list(items[start : start + size])) for start in starts])

    def _rows(self, rows: Floats, is_one: bool) -> Floats:
        one: Floats = rows[0] if is_one else rows
        return one

    def __repr__(self) -> str:
        views = f", {self.n_views} views of {self.view_size} px" if self.n_views else ""
        points = f", {self.n_points} points" if self.n_points else ""
        return f"<lexiform.Model {self.id}: {self.input}{views}{points}, {self.dim} numbers>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Weights are read again: a path is lighter than they are.
        return (_reopen, (self.name, self._options))


def _reopen(name: str, options: dict[str, Any]) -> Model:
    return load(name, **options)


def _is_picture(value: Any) -> bool:
    if is_path(value) or (hasattr(value, "convert") and hasattr(value, "getbands")):
        return True
    return getattr(value, "ndim", 0) == 3


def load(
    name: PathLike = "nano",
    device: str = "cpu",
    precision: str = "f32",
    *,
    text_model: PathLike | None = None,
    visual_prompts: PathLike | None = None,
    image_size: int | None = None,
    crop: str | int | None = None,
) -> Model:
    """Opens a model.

    Parameters
    ----------
    name
        A name of ``models``, or the path of a released checkpoint (``.ckpt``, ``.pt``, ``.pth``, ``.bin``, ``.safetensors``).
        ``nano`` is built in.
    device
        ``cpu``, or ``wgpu``, ``vulkan``, ``cuda`` or ``metal`` if the package was built with it.
    precision
        ``f32`` for the numbers of the papers; ``bf16`` where the processor multiplies it; ``auto`` for the faster one.
    text_model
        The CLIP model that a model of points was aligned to.
    visual_prompts
        A CG3D checkpoint whose prompts and image tower replace the model's.
    image_size
        Width and height of images in pixels; the model's by default.
    crop
        Crop of views: ``none``, ``center``, or the seed of the reference's random crop.

    Examples
    --------
    >>> import lexiform
    >>> lexiform.load("nano").dim == lexiform.load().dim
    True
    """
    options: dict[str, Any] = {
        "device": device,
        "precision": precision,
        "text_model": None if text_model is None else os.fspath(text_model),
        "visual_prompts": None if visual_prompts is None else os.fspath(visual_prompts),
        "image_size": image_size,
        "crop": None if crop is None else str(crop),
    }
    return Model(_lexiform.Model(os.fspath(name), **options), options)


def models() -> list[RegisteredModel]:
    """The models that ``load`` knows by name.

    Examples
    --------
    >>> import lexiform
    >>> [model.name for model in lexiform.models() if model.name == "nano"]
    ['nano']
    """
    return [RegisteredModel(*row) for row in _lexiform.registered_models()]
