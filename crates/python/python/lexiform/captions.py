"""Sentences about shapes, and metrics of captions.

These functions run ``lexiform caption`` and ``lexiform eval caption`` with ``--json``; every option of the commands is a keyword argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._arrays import PathLike, is_path
from ._lines import lines
from .errors import EvalError, ModelError

__all__ = ["caption", "evaluate"]


def caption(paths: PathLike | Sequence[PathLike], *, model: PathLike = "nano", **options: Any) -> list[dict[str, Any]]:
    """Describes shapes in a sentence each: kind, color, material, parts.

    Parameters
    ----------
    paths
        3D files, images, folders of views; folders of 3D files.
    model
        A name or path; others than ``nano`` need a ``captioner``.
    options
        Of the command: ``count=5`` samples several captions, with ``top_p`` and ``seed``.

    Returns
    -------
    list
        A dictionary per shape: ``path``, ``caption``, and with ``count`` all ``captions``.
    """
    given = [paths] if is_path(paths) else list(paths)  # type: ignore[arg-type]
    return lines(ModelError, ["caption"], given, model=model, **options)  # type: ignore[arg-type]


def evaluate(predictions: PathLike, references: PathLike | None = None, **options: Any) -> dict[str, Any]:
    """Metrics of captions: BLEU, METEOR, ROUGE-L and CIDEr as of pycocoevalcap, and cosines.

    Parameters
    ----------
    predictions
        Captions of a model: JSON as for COCO, ``.jsonl`` or ``.csv``.
    references
        Captions by others, one or several for each; in the file of predictions by default.

    Returns
    -------
    dict
        The scores by metric.
    """
    files = [predictions] if references is None else [predictions, references]
    found = lines(EvalError, ["eval", "caption"], files, **options)
    return found[0]
