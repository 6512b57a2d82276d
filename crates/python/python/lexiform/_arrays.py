"""What people have, as arrays: tensors, pictures, paths."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, Union

import numpy as np
import numpy.typing as npt

from .errors import InvalidArgument, NotFound

Floats: TypeAlias = npt.NDArray[np.float32]
Bytes: TypeAlias = npt.NDArray[np.uint8]
PathLike: TypeAlias = Union[str, "os.PathLike[str]"]


def is_path(value: object) -> bool:
    return isinstance(value, (str, os.PathLike))


def as_array(value: Any) -> npt.NDArray[Any]:
    """The value as an array, without a copy where its memory allows that: arrays, tensors, anything with DLPack."""
    if isinstance(value, np.ndarray):
        return value
    # torch: a tensor that needs gradients, or is on another device, has no array.
    if hasattr(value, "detach"):
        value = value.detach()
        if getattr(value, "device", None) is not None and str(value.device) != "cpu":
            value = value.cpu()
        if str(getattr(value, "dtype", "")) == "torch.bfloat16":
            value = value.float()
    if hasattr(value, "__array__") or isinstance(value, (list, tuple)):
        return np.asarray(value)
    if hasattr(value, "__dlpack__"):
        return np.from_dlpack(value)
    raise InvalidArgument(f"expected an array, found {type(value).__name__}")


def as_floats(value: Any, what: str, ndim: int) -> Floats:
    """A contiguous array of 32-bit floats with this number of axes."""
    array = as_array(value)
    if array.ndim != ndim:
        raise InvalidArgument(f"{what}: expected {ndim} axes, found shape {list(array.shape)}")
    if array.dtype.kind not in "fiu":
        raise InvalidArgument(f"{what}: expected numbers, found {array.dtype}")
    return np.ascontiguousarray(array, dtype=np.float32)


def as_pixels(value: Any, what: str) -> Bytes:
    """Pictures as a contiguous array of bytes, ``[..., height, width, channels]``; floats are in 0–1."""
    array = as_array(value)
    if array.ndim < 3 or array.shape[-1] not in (3, 4):
        found = list(array.shape)
        hint = None
        if array.ndim >= 3 and array.shape[-3] in (3, 4):
            hint = "channels come last: array.transpose(…, -2, -1, -3), or tensor.movedim(-3, -1)"
        raise InvalidArgument(f"{what}: expected shape [..., height, width, 3 or 4], found {found}", hint)
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype.kind == "f":
        low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
        if not (low >= 0.0 and high <= 1.0):
            raise InvalidArgument(
                f"{what}: expected bytes, or floats from 0 to 1, found floats from {low:g} to {high:g}",
                "normalization of pixels is part of the model",
            )
        return np.ascontiguousarray(np.rint(array * 255.0), dtype=np.uint8)
    raise InvalidArgument(f"{what}: expected bytes, or floats from 0 to 1, found {array.dtype}")


def read_picture(path: PathLike) -> Bytes:
    """The pixels of an image file, ``[height, width, 3]``, on white."""
    from ._lexiform import read_picture as read

    if not os.path.exists(path):
        raise NotFound(f"{os.fspath(path)}: no such file")
    return read(os.fspath(path))


def as_picture(value: Any, what: str = "image") -> Bytes:
    """One picture: a path, a picture of Pillow, an array or a tensor."""
    if is_path(value):
        return read_picture(value)
    # Pillow: palettes, gray and CMYK become RGB.
    if hasattr(value, "convert") and hasattr(value, "getbands"):
        has_alpha = "A" in value.getbands() or "transparency" in getattr(value, "info", {})
        return np.asarray(value.convert("RGBA" if has_alpha else "RGB"), dtype=np.uint8)
    pixels = as_pixels(value, what)
    if pixels.ndim != 3:
        raise InvalidArgument(f"{what}: expected one picture [height, width, 3], found shape {list(pixels.shape)}")
    return pixels


def stack_of(values: Iterable[Any], what: str) -> Bytes:
    """Pictures of one size as ``[n, height, width, channels]``; pictures with alpha among others lose nothing."""
    if not isinstance(values, (list, tuple)) and not is_path(values) and hasattr(values, "shape"):
        pixels = as_pixels(values, what)
        if pixels.ndim != 4:
            raise InvalidArgument(f"{what}: expected shape [n, height, width, 3], found {list(pixels.shape)}")
        return pixels
    pictures = [as_picture(value, what) for value in values]
    if not pictures:
        raise InvalidArgument(f"{what}: expected at least one picture, found none")
    if len({picture.shape[2] for picture in pictures}) > 1:
        pictures = [_with_alpha(picture) for picture in pictures]
    sizes = {picture.shape for picture in pictures}
    if len(sizes) > 1:
        raise InvalidArgument(f"{what}: expected views of one size, found {sorted(map(list, sizes))}")
    return np.ascontiguousarray(np.stack(pictures))


def _with_alpha(picture: Bytes) -> Bytes:
    if picture.shape[2] == 4:
        return picture
    return np.concatenate([picture, np.full_like(picture[..., :1], 255)], axis=2)


def as_list(value: Any, is_one: bool) -> Sequence[Any]:
    """A batch, of one or of several."""
    return [value] if is_one else list(value)
