"""What notebooks show: pictures, and shapes that turn."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import numpy as np

from . import _lexiform
from ._arrays import Bytes, PathLike

if TYPE_CHECKING:
    from .shape import Shape

#: Triangles that a notebook can hold; larger shapes are shown as a picture.
_MAX_TRIANGLES = 200_000


class Picture:
    """A picture that notebooks show.

    Attributes
    ----------
    pixels
        ``[height, width, 3 or 4]``.
    """

    def __init__(self, pixels: Bytes) -> None:
        self.pixels = pixels

    def _repr_png_(self) -> bytes:
        return _lexiform.encode_png(np.ascontiguousarray(self.pixels))

    def save(self, path: PathLike) -> None:
        """Writes a PNG file."""
        with open(path, "wb") as file:
            file.write(self._repr_png_())

    def __array__(self, dtype: object = None, copy: bool | None = None) -> Bytes:
        return self.pixels

    def __repr__(self) -> str:
        height, width = self.pixels.shape[:2]
        return f"<lexiform.Picture {width} × {height}>"


def shape_page(shape: Shape) -> str:
    """A shape that can be turned with the mouse, by the viewer of ``lexiform serve``; nothing comes from the network."""
    if not 0 < shape.n_triangles <= _MAX_TRIANGLES:
        png = base64.b64encode(Picture(shape.render(1, 320)[0])._repr_png_()).decode()
        return f'<img alt="{_escaped(repr(shape))}" width="320" height="320" src="data:image/png;base64,{png}">'
    page = shape._native.page(shape.name or repr(shape))
    # A page of its own in the notebook's.
    return f'<iframe title="{_escaped(repr(shape))}" width="480" height="360" style="border:0" srcdoc="{_escaped(page)}"></iframe>'


def _escaped(text: str) -> str:
    """Text as the value of an attribute."""
    return text.replace("&", "&amp;").replace('"', "&quot;")
