"""A local Airflow on this machine: its settings, its metadata, its processes, and a night run through it."""

from carehouse.airflow_local.environment import environment
from carehouse.airflow_local.metadata import migrate
from carehouse.airflow_local.night import run_dags
from carehouse.airflow_local.parts import start, status, stop

__all__ = ["environment", "migrate", "run_dags", "start", "status", "stop"]
