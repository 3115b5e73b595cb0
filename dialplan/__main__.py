"""`python -m dialplan install`: provide a real Asterisk before anything else of the project is installed."""

import argparse
import sys

from dialplan.install import InstallError, provide


def main() -> int:
    """Provide an Asterisk and print where it is; exit status 1 and one sentence when that is impossible."""
    parser = argparse.ArgumentParser(prog="python -m dialplan", description="Provide a real Asterisk.")
    parser.add_argument("verb", choices=["install"], help="find a recent Asterisk, or build one")
    parser.parse_args()
    try:
        found = provide(say=_say)
    except InstallError as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    where = f"in {found.sandbox.root}" if found.sandbox.root else found.asterisk
    _say(f"Asterisk {found.version_text} {where}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
