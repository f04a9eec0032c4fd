"""Lets `python -m carehouse` be the `carehouse` command."""

from carehouse.cli import main

main()
