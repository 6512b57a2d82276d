"""The command ``lexiform`` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

__all__ = ["Outcome", "run"]


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit code: 0 success, 1 failure, 2 wrong usage."""

    returncode: int
    stdout: str
    stderr: str

    def error(self) -> tuple[str, str | None]:
        """The error that it printed, and its hint."""
        lines = self.stderr.strip().splitlines()
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        hints = [line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")]
        message = errors[-1] if errors else (lines[-1] if lines else f"exit code {self.returncode}")
        return message, hints[-1] if hints else None


def run(*arguments: str | os.PathLike[str], **options: Any) -> Outcome:
    """Runs ``lexiform`` with arguments and options.

    Options are keyword arguments: ``views=[1, 4]`` is ``--views 1,4``, ``json=True`` is ``--json``, and ``None`` or ``False`` is
    nothing.

    Examples
    --------
    >>> import lexiform
    >>> lexiform.run("--version").stdout.split()[0]
    'lexiform'
    """
    given = [os.fspath(argument) for argument in arguments]
    for name, value in options.items():
        flag = f"-{name}" if len(name) == 1 else "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            given.append(flag)
        elif isinstance(value, (list, tuple)):
            given += [flag, ",".join(str(item) for item in value)]
        else:
            given += [flag, str(value)]
    done = subprocess.run(
        [sys.executable, "-m", "lexiform", *given], capture_output=True, text=True, encoding="utf-8", check=False
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
