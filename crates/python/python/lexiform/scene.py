"""Rooms and other scenes: objects found by words.

These functions run ``lexiform scene`` and ``lexiform eval scene`` with ``--json``; every option of the commands is a keyword argument.
"""

from __future__ import annotations

from typing import Any

from ._arrays import PathLike
from ._lines import lines
from .errors import EvalError, ShapeError

__all__ = ["evaluate", "find"]


def find(path: PathLike, text: str, *, k: int = 5, model: PathLike = "nano", **options: Any) -> list[dict[str, Any]]:
    """Finds objects in a scan of a room, a mesh or a point cloud of up to 10 million points.

    The scene is indexed when it is first searched; the index is kept next to it.

    Parameters
    ----------
    path
        The file of the scene.
    text
        What to find.
    k
        Number of answers.
    model
        A name or path.
    options
        Of the command: ``masks=True`` for the points of each answer, ``output`` and ``page`` for files to write.

    Returns
    -------
    list
        A dictionary per answer, best first: ``rank``, ``score``, the box ``min`` and ``max``, the number of ``elements``.
    """
    return lines(ShapeError, ["scene"], [path], find=text, k=k, model=model, **options)


def evaluate(*paths: PathLike, model: PathLike = "nano", **options: Any) -> list[dict[str, Any]]:
    """Evaluates finding objects: on generated rooms, or folders of S3DIS and ScanNet.

    Returns
    -------
    list
        The results of ``lexiform eval scene``.
    """
    return lines(EvalError, ["eval", "scene"], list(paths), model=model, **options)
