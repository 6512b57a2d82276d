"""Commands whose results are lines of JSON."""

from __future__ import annotations

import json
import os
from typing import Any

from ._command import run
from .errors import LexiformError

__all__ = ["lines"]


def lines(
    error: type[LexiformError], command: list[str], files: list[str | os.PathLike[str]], **options: Any
) -> list[dict[str, Any]]:
    """The lines of JSON that a command prints; an exception of type ``error`` if it fails."""
    outcome = run(*command, *files, json=True, **options)
    found = [json.loads(line) for line in outcome.stdout.splitlines() if line.startswith("{")]
    if outcome.returncode != 0 and not found:
        raise error(*outcome.error())
    return found
