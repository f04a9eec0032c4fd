"""The SQL of a dbt model with its real macros, to be run on tables of a test's own choosing."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import jinja2
import yaml

from carehouse.settings import PROJECT

DBT = PROJECT / "dbt_project"
# Macros that models use; those that dbt itself calls need dbt.
MACROS = ("age", "costs", "data_status", "financial_calendar", "known_at", "latest_begun", "publication")


@cache
def model_sql(model: str, **variables: Any) -> str:
    """Give a model's query, reading each model it refers to as a table of that name.

    Variables are those of dbt_project.yml, and those given here.
    """
    (path,) = (DBT / "models").rglob(f"{model}.sql")
    return render(path.read_text(encoding="utf-8"), **variables)


def render(template: str, context: Mapping[str, object] | None = None, **variables: Any) -> str:
    """Give SQL written with the project's macros, as dbt reads it unless the context says that it executes."""
    declared = yaml.safe_load((DBT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    chosen = {**declared, **variables}
    macros = "".join((DBT / "macros" / f"{name}.sql").read_text(encoding="utf-8") for name in MACROS)
    # A template of SQL: nothing here is ever shown in a browser.
    environment = jinja2.Environment(  # noqa: S701
        extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined
    )
    environment.globals.update(
        ref=lambda name: name, var=lambda name, default=None: chosen.get(name, default), execute=False
    )
    environment.globals.update(context or {})
    return environment.from_string(macros + template).render()
