"""`carehouse db`: the database, embedded or given."""

from typing import Annotated

import typer

from carehouse.errors import CarehouseError
from carehouse.settings import Settings

db = typer.Typer(no_args_is_help=True, help="The database: embedded, or given by CAREHOUSE_DATABASE_URL.")


@db.command("start")
def db_start() -> None:
    """Start the embedded server unless another is given, and bring the database to this version."""
    from carehouse.bootstrap import prepare

    prepare(Settings.load())


@db.command("stop")
def db_stop() -> None:
    """Stop the embedded server."""
    from carehouse import embedded

    embedded.stop(Settings.load())


@db.command("status")
def db_status() -> None:
    """Say whether the database answers; exit 1 if not."""
    from carehouse.database import Role, connect

    with connect(Settings.load(), Role.READER) as reader:
        print(f"PostgreSQL {reader.info.parameter_status('server_version')} answers on port {reader.info.port}")


@db.command("url")
def db_url(
    role: Annotated[
        str, typer.Argument(help="Whose address: carehouse_reader, carehouse_auditor, …")
    ] = "carehouse_reader",
) -> None:
    """Print a role's connection address, its password included."""
    from carehouse.database import Role, url

    if role not in list(Role):
        raise CarehouseError(f"There is no role {role}; there are: {', '.join(Role)}.")
    print(url(Settings.load(), Role(role)))
