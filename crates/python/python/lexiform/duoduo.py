"""The interface of the Duoduo CLIP authors' package, for code that was written for it.

Examples
--------
>>> import lexiform.duoduo
>>> lexiform.duoduo.get_model.__name__
'get_model'
"""

from __future__ import annotations

import os
from typing import Any

from . import model as _model
from ._arrays import Floats, PathLike, as_pixels
from .errors import InvalidArgument

__all__ = ["DuoduoCLIP", "get_model"]


class DuoduoCLIP:
    """Duoduo CLIP: texts, and images of an object from one or several sides, as unit vectors ``[1, 512]``."""

    def __init__(self, model: _model.Model) -> None:
        #: The model, with all of ``Model``.
        self.model = model

    def encode_text(self, text: str) -> Floats:
        """The vector of a text, ``[1, 512]``."""
        return self.model.encode_text([text])

    def encode_image(self, images: Any, *, seed: int | None = None) -> Floats:
        """The vector of an object, ``[1, 512]``.

        Parameters
        ----------
        images
            Views ``[n_views, 224, 224, 3]``, or one, ``[224, 224, 3]``, in bytes.
        seed
            The authors' code crops images at random. With a seed, the crop is the one that it draws after
            ``torch.manual_seed(seed)``; without, it is in the middle.
        """
        pixels = as_pixels(images, "images")
        if pixels.ndim not in (3, 4):
            raise InvalidArgument(f"images: expected [n_views, height, width, 3], found {list(pixels.shape)}")
        native = self.model._native if seed is None else self.model._native.with_crop(str(seed))
        return native.encode_views([pixels[None] if pixels.ndim == 3 else pixels])

    def eval(self) -> DuoduoCLIP:
        """Does nothing: models here are always in evaluation mode."""
        return self

    def to(self, device: object) -> DuoduoCLIP:
        """Does nothing but check: a model stays on the device that it was loaded to."""
        if str(device).split(":")[0] not in ("cpu", "cuda"):
            raise InvalidArgument(f"device: expected cpu or cuda, found {device}")
        return self

    def __repr__(self) -> str:
        return f"<lexiform.duoduo.DuoduoCLIP {self.model.id}>"


def get_model(model_name: PathLike = "duoduo", device: str = "cpu", precision: str = "f32") -> DuoduoCLIP:
    """Loads a checkpoint of Duoduo CLIP.

    Parameters
    ----------
    model_name
        A file, such as ``Four_1to6F_bs1600_LT6.ckpt``, or a name of ``models``.
    device
        ``cpu``; ``cuda`` where the package was built with it.
    precision
        ``f32``, ``bf16`` or ``auto``.
    """
    name = os.fspath(model_name)
    return DuoduoCLIP(_model.load(name, device, precision))
