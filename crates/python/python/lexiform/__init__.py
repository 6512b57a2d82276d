"""Words, pictures and 3D shapes in one space.

Examples
--------
>>> import lexiform
>>> model = lexiform.load("nano")
>>> model.encode_text("a red chair").shape == (model.dim,)
True

``load`` opens a model, ``Library`` indexes and searches a folder, ``read``, ``render`` and ``sample`` work on 3D files, ``data`` has data
sets, ``eval`` metrics and ``train`` recipes; ``caption`` describes shapes, ``scene`` finds objects in rooms. ``lexiform.duoduo`` has the interface of the Duoduo CLIP authors.
"""

from . import captions, data, duoduo, errors, eval, scene, shape
from ._command import run
from ._display import Picture
from ._lexiform import VERSION as __version__
from .captions import caption
from .errors import (
    DataError,
    EvalError,
    InvalidArgument,
    LexiformError,
    LibraryError,
    ModelError,
    NotFound,
    ShapeError,
    TrainingError,
)
from .library import Library, Result, Results
from .model import Label, Model, RegisteredModel, load, models
from .shape import Shape, contact_sheet, read, render, sample
from .training import train

__all__ = [
    "DataError",
    "EvalError",
    "InvalidArgument",
    "Label",
    "LexiformError",
    "Library",
    "LibraryError",
    "Model",
    "ModelError",
    "NotFound",
    "Picture",
    "RegisteredModel",
    "Result",
    "Results",
    "Shape",
    "ShapeError",
    "TrainingError",
    "__version__",
    "caption",
    "captions",
    "contact_sheet",
    "data",
    "duoduo",
    "errors",
    "eval",
    "load",
    "models",
    "read",
    "render",
    "run",
    "sample",
    "scene",
    "shape",
    "train",
]
