"""Exceptions of Lexiform.

All are ``LexiformError``; some are also the built-in exception that a caller would expect.
"""

from __future__ import annotations

__all__ = [
    "DataError",
    "EvalError",
    "InvalidArgument",
    "LexiformError",
    "LibraryError",
    "ModelError",
    "NotFound",
    "ShapeError",
    "TrainingError",
]


class LexiformError(Exception):
    """An error of Lexiform.

    Attributes
    ----------
    message
        What failed, where, what was expected and what was found.
    hint
        What to do about it, if that is known.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        # Both are arguments, so that the exception can be pickled.
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class InvalidArgument(LexiformError, ValueError):
    """An argument has the wrong value, shape or type."""


class NotFound(LexiformError, FileNotFoundError):
    """A file or folder does not exist."""

    def __new__(cls, message: str = "", hint: str | None = None) -> NotFound:
        # `OSError` takes a second argument for the message, and the first for a number.
        return FileNotFoundError.__new__(cls, message)

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        self.args = (message, hint)

    def __reduce__(self) -> tuple[type[NotFound], tuple[str, str | None]]:
        return (type(self), (self.message, self.hint))


class ShapeError(LexiformError):
    """A 3D file, or a picture, cannot be read or written."""


class ModelError(LexiformError):
    """A model cannot be opened, or cannot do what was asked."""


class LibraryError(LexiformError):
    """A library cannot be read or written, or a filter is wrong."""


class DataError(LexiformError):
    """A data set cannot be read or written."""


class EvalError(LexiformError):
    """An evaluation cannot be done."""


class TrainingError(LexiformError):
    """A recipe is wrong, or a run cannot go on."""
