"""`python -m ivr.cli` is the `ivr` command."""

from ivr.cli import main

main()
