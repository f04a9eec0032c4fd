"""`carehouse contracts`: what is promised by senders and to readers, and what follows from it."""

from typing import Annotated

import typer

from carehouse.errors import CarehouseError
from carehouse.settings import Settings

contracts = typer.Typer(
    no_args_is_help=True, help="The contracts with senders and readers, and what follows from them."
)


@contracts.command("render")
def contracts_render() -> None:
    """Write the files that follow from the contracts and the measures; prints those that changed."""
    from ingestion.render import render

    for path in render():
        print(path)


@contracts.command("check")
def contracts_check() -> None:
    """Say which generated files are out of date; exit 1 if any."""
    from ingestion.render import stale_files

    stale = stale_files()
    if stale:
        names = ", ".join(str(path.relative_to(Settings.load().project)) for path in stale)
        raise CarehouseError(f"Out of date: {names}. Run: carehouse contracts render")


@contracts.command("retire")
def contracts_retire(
    mart: Annotated[str, typer.Argument(help="A mart whose last day is over and whose model is gone.")],
) -> None:
    """Take back what readers were promised of a mart, once the day announced is over; prints the file removed."""
    from carehouse.promise_files import retire

    print(retire(Settings.load().project, mart))
