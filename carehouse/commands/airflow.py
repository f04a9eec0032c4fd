"""`carehouse airflow`: Airflow on this machine."""

import typer

from carehouse.settings import Settings

airflow = typer.Typer(no_args_is_help=True, help="Airflow on this machine: its page, scheduler and DAGs.")


@airflow.command("start")
def airflow_start() -> None:
    """Start Airflow's page, scheduler and DAG processor; does nothing when they run."""
    from carehouse import airflow_local

    airflow_local.start(Settings.load())


@airflow.command("stop")
def airflow_stop() -> None:
    """Stop them."""
    from carehouse import airflow_local

    airflow_local.stop(Settings.load())


@airflow.command("status")
def airflow_status() -> None:
    """Say which parts run."""
    from carehouse import airflow_local

    print(airflow_local.status(Settings.load()))
