"""Options that several commands have, each said once."""

from datetime import datetime
from typing import Annotated

import typer

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day; default: today in England.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]
Because = Annotated[str | None, typer.Option(help="Why; recorded for ever.")]
Reason = Annotated[str, typer.Option("--because", help="Why; recorded for ever.")]
By = Annotated[str | None, typer.Option(help="Who says so; default: the name you are logged in with.")]
Open = Annotated[bool, typer.Option("--open", help="Only the open figures (mart_open), as their own reader.")]
Build = Annotated[int | None, typer.Option(help="The build; default: the latest.")]
