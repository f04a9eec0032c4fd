"""One DAG for each source: land what has arrived, announce what was accepted, speak up for what was refused.

A refused file keeps no other file waiting, and a night that brought nothing new triggers nothing.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from business_date import business_date
from commands import SOME_FILES_REFUSED, carehouse
from schedule import chosen_day, london
from sources import Source, accepted, sources

# 03:30 exists exactly once on every day of the year: the clocks change between 01:00 and 02:00.
EACH_NIGHT = london("30 3 * * *")

RUNBOOK = """
Lands the files of **{source}** ({tables}) for one business date. Owner: {owner} (ask {ask}).

* `ingest` failed: read its log, put right what it names, clear the task. Running it twice is harmless.
* `report_refusals` failed: files were refused whole and the last good delivery of each stays current. Its log
  says what to read and whom to ask; the rest of the night goes on.
* `announce` skipped: nothing new arrived. Figures go stale {latency_days} days after the last delivery.

Run it for another day with the parameter `business_date`. See `docs/how-to/run-a-night.md`.
"""


def load(source: Source) -> None:
    """Declare the DAG that loads `source`."""
    news = accepted(source)

    @dag(
        dag_id=f"load_{source.name}",
        description=f"Land the files of {source.name}.",
        doc_md=RUNBOOK.format(
            source=source.name,
            tables=", ".join(source.tables),
            owner=source.owner,
            ask=source.ask,
            latency_days=source.latency_days,
        ),
        schedule=EACH_NIGHT,
        catchup=False,
        max_active_runs=1,
        params={"business_date": chosen_day()},
        default_args={"owner": source.owner, "retries": 0, "retry_delay": timedelta(minutes=1)},
        tags=["load"],
    )
    def load_source() -> None:
        @task(retries=2, execution_timeout=timedelta(hours=2), multiple_outputs=False)
        def ingest() -> dict[str, Any]:
            context = get_current_context()
            day = business_date(context)
            arguments = ("ingest", "--source", source.name, "--business-date", day, "--json")
            _, counts = carehouse(*arguments, accept=(0, SOME_FILES_REFUSED))
            # A first attempt may have landed files and died before it could say so.
            landed_before = context["ti"].try_number > 1 and counts["unchanged"] > 0
            return {**counts, "business_date": day, "has_news": counts["accepted"] > 0 or landed_before}

        @task(retries=2, execution_timeout=timedelta(minutes=5), outlets=[news])
        def announce(counts: dict[str, Any]) -> None:
            if not counts["has_news"]:
                raise AirflowSkipException(f"Nothing new arrived from {source.name}.")
            outlet = get_current_context()["outlet_events"][news]
            outlet.extra = {"business_date": counts["business_date"], "accepted": counts["accepted"]}

        @task(execution_timeout=timedelta(minutes=5))
        def report_refusals(counts: dict[str, Any]) -> None:
            if counts["refused"]:
                raise AirflowFailException(
                    f"{counts['refused']} file(s) of {source.name} were refused; the last good delivery "
                    "stays current. The log of `ingest` names each file and the reason. "
                    f"Ask {source.ask} to send them again, then run this DAG once more."
                )

        counts = ingest()
        announce(counts)  # type: ignore[arg-type]
        report_refusals(counts)  # type: ignore[arg-type]

    load_source()


for _source in sources():
    load(_source)
