"""Invented services: what people receive, as the splits of service elements."""

import polars as pl

from ingestion.synth.long_term import invent_long_term
from ingestion.synth.periods import Month
from ingestion.synth.persons import People
from ingestion.synth.pricing import price
from ingestion.synth.reablement import invent_reablement


def invent_services(people: People, months: list[Month], first_day: int, until_day: int, seed: int) -> pl.DataFrame:
    """Invent every split that begins by `until_day`, those that ended before the first day included, with its price."""
    found = pl.concat([invent_long_term(people, first_day, until_day, seed), invent_reablement(people, months, seed)])
    return price(found.sort("element_ref", "split_number"), seed)
