"""When DAGs run: by the clock of London, for a day that can be chosen, and not because a machine woke up late."""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, Param


def london(cron: str) -> CronTriggerTimetable:
    """Give the timetable of a cron expression in London.

    A DAG that has never run waits for the next time, unless it came within two minutes of the last one:
    left to itself Airflow would run it up to a tenth of its period late, with a date nobody asked for.
    """
    return CronTriggerTimetable(cron, timezone="Europe/London", run_immediately=timedelta(minutes=2))


def chosen_day() -> Param:
    """Let a person run a DAG for a day of their choice, as its parameter `business_date`."""
    return Param(
        default=None,
        type=["null", "string"],
        format="date",
        description="Business date, as YYYY-MM-DD. Leave empty for the day of the run.",
    )
