"""Who or what has a command run, for the record."""

import os
from collections.abc import Mapping
from getpass import getuser


def asked_by(environment: Mapping[str, str] | None = None) -> str:
    """Name the DAG run in whose task this command runs, else the person logged in.

    Airflow tells its tasks, and so every command they start, which run they are of.
    """
    given = os.environ if environment is None else environment
    run = given.get("AIRFLOW_CTX_DAG_RUN_ID")
    if run:
        return f"Airflow: {given.get('AIRFLOW_CTX_DAG_ID', 'a DAG')}, run {run}"
    try:
        return getuser()
    except (KeyError, OSError):
        # A container may run as a number that no list of users knows.
        return f"user number {os.getuid()}"
