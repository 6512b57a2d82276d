"""Training by recipes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import _lexiform
from ._arrays import PathLike

__all__ = ["train"]


def train(
    recipe: PathLike,
    out: PathLike,
    overrides: Mapping[str, Any] | Sequence[str] | None = None,
    *,
    resume: bool = False,
    devices: Sequence[str] = ("cpu",),
    callbacks: Callable[[dict[str, Any]], None] | Sequence[Callable[[dict[str, Any]], None]] = (),
) -> Path:
    """Trains a model by a recipe.

    Parameters
    ----------
    recipe
        A TOML file, such as those in ``recipes/``.
    out
        Folder of the run: checkpoints, models and a log.
    overrides
        Keys of the recipe with other values: ``{"run.steps": 100}`` or ``["run.steps=100"]``.
    resume
        Resume from the last checkpoint in ``out``, if any.
    devices
        Devices for data parallelism.
    callbacks
        Functions that get each event: a dictionary with ``event`` (``start``, ``step``, ``evaluated``, ``checkpoint-saved``,
        ``finished`` …) and its numbers. An exception ends the run, which can be resumed.

    Returns
    -------
    Path
        The path of the model, which ``load`` opens.
    """
    functions = [callbacks] if callable(callbacks) else list(callbacks)

    def on_event(event: str) -> None:
        parsed = json.loads(event)
        for function in functions:
            function(parsed)

    model = _lexiform.train(
        os.fspath(recipe),
        os.fspath(out),
        overrides=_overrides(overrides),
        resume=resume,
        devices=list(devices),
        on_event=on_event if functions else None,
    )
    return Path(model)


def _overrides(given: Mapping[str, Any] | Sequence[str] | None) -> list[str]:
    if given is None:
        return []
    if isinstance(given, Mapping):
        return [f"{key}={_toml(value)}" for key, value in given.items()]
    return list(given)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, os.PathLike):
        return json.dumps(os.fspath(value))
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    # A string of JSON is one of TOML.
    return json.dumps(value) if isinstance(value, str) else str(value)
