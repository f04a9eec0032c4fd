"""The business date of a run: the calendar day in London on which its deliveries become known."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def business_date(context: Mapping[str, Any]) -> str:
    """Give the date that was asked for, else the day of the run, as YYYY-MM-DD.

    `context` is the task's. A manual run has no logical date; its day is the one it was asked to run after.
    """
    asked_for = context["params"].get("business_date")
    if asked_for:
        return str(asked_for)
    return london_day(context.get("logical_date") or context["dag_run"].run_after)


def as_at(context: Mapping[str, Any]) -> str:
    """Give the date asked for, else the latest that the triggering assets carry, else the day of the run."""
    carried = carried_dates(context["triggering_asset_events"])
    if context["params"].get("business_date") or not carried:
        return business_date(context)
    return max(carried)


def carried_dates(events_by_asset: Any) -> list[str]:
    """List the business dates that asset events carry."""
    return [
        event.extra["business_date"]
        for events in events_by_asset.values()
        for event in events
        if "business_date" in event.extra
    ]


def london_day(moment: datetime) -> str:
    """Give the calendar day in London at `moment`."""
    return moment.astimezone(LONDON).date().isoformat()
