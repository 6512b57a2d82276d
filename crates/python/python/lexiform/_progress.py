"""Progress bars, in terminals and in notebooks."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

__all__ = ["Progress"]

#: Seconds between two drawings.
_INTERVAL = 0.1


class Progress:
    """Shows the progress of a run that reports ``planned``, ``step`` and ``failed`` events.

    ``tqdm`` shows it where it is installed, which looks best in notebooks; otherwise a line on standard error does.
    """

    def __init__(self, what: str, progress: bool | Callable[[dict[str, Any]], None]) -> None:
        self._what = what
        self._callback = progress if callable(progress) else None
        self._shows = progress is True
        self._bar: Any = None
        self._done = 0
        self._total = 0
        self._drawn = 0.0
        self._is_line = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        if self._is_line:
            self._draw(is_last=True)

    def on_event(self, event: str) -> None:
        """Takes an event of the native part, as JSON."""
        parsed: dict[str, Any] = json.loads(event)
        if self._callback is not None:
            self._callback(parsed)
        if not self._shows:
            return
        kind = parsed["event"]
        if kind == "planned":
            self._start(parsed.get("files", parsed.get("shapes", 0)))
        elif kind in ("step", "failed", "renamed"):
            self._step()

    def _start(self, total: int) -> None:
        self._total += total
        if not total:
            return
        if self._bar is None:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                self._is_line = True
                return
            self._bar = tqdm(total=0, desc=self._what, unit="file")
        self._bar.total = self._total
        self._bar.refresh()

    def _step(self) -> None:
        self._done += 1
        if self._bar is not None:
            self._bar.update(1)
        elif self._is_line and time.monotonic() - self._drawn > _INTERVAL:
            self._draw(is_last=False)

    def _draw(self, *, is_last: bool) -> None:
        self._drawn = time.monotonic()
        end = "\n" if is_last else ""
        sys.stderr.write(f"\r{self._what}: {self._done} of {self._total}{end}")
        sys.stderr.flush()
