"""`deliverkit`, and `python -m deliverkit`."""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words == ["--version"]:
        # Answered before anything is imported: scripts ask it often.
        from deliverkit import __version__  # noqa: PLC0415 - as said

        sys.stdout.write(f"deliverkit {__version__}\n")
        return 0
    from deliverkit.cli.main import main as run  # noqa: PLC0415 - as said

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
