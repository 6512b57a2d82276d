"""The command: ``python -m lexiform``, and ``lexiform`` on the PATH."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Runs the command with the arguments of this process."""
    from ._lexiform import run_command

    # Python's own handler would wait until the command returns.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_command(["lexiform", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
