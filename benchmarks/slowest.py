"""The model that took dbt longest, and how PostgreSQL goes about it."""

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.scratch import Warehouse
from carehouse.build import dbt_target
from carehouse.database import Role

LISTED = 10


def slowest_model(fresh: Warehouse) -> Iterator[str]:
    """Name the models that took the last `dbt build` longest, and give the plan of the first, run once more."""
    target = dbt_target(fresh.settings)
    results = json.loads((target / "run_results.json").read_text())["results"]
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    models = [
        (result["execution_time"], nodes[result["unique_id"]])
        for result in results
        if result["unique_id"].startswith("model.")
    ]
    models.sort(key=lambda each: each[0], reverse=True)
    yield f"models together: {sum(seconds for seconds, _ in models):.1f} s, four at a time"
    for seconds, model in models[:LISTED]:
        yield f"  {seconds:6.1f} s  {model['name']}"
    query = Path(fresh.settings.project / "dbt_project", models[0][1]["compiled_path"]).read_text()
    with fresh.connect(Role.BUILDER) as builder:
        rows = builder.execute(f"explain (analyze, costs off) {query}").fetchall()
    yield f"plan of {models[0][1]['name']}:"
    yield from (line for (line,) in rows)
