"""The worker process: imports Great Expectations once, then answers a line of figures with a line of counts."""

import json
import logging
import os
import sys
from typing import Any

COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}


def main() -> None:
    """Answer until standard input ends."""
    # Whatever a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    # Read while it is imported.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    whole = (
        context.data_sources.add_pandas("deliveries")
        .add_dataframe_asset(name="figures")
        .add_batch_definition_whole_dataframe("whole")
    )
    for line in sys.stdin:
        answers.write(json.dumps(_evaluate(whole, json.loads(line))) + "\n")
        answers.flush()


def _evaluate(whole: Any, questions: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Hold each question's figures, as a column of one frame, against its bounds."""
    import great_expectations.expectations as gxe
    import pandas as pd  # type: ignore[import-untyped]
    from great_expectations.core.expectation_suite import ExpectationSuite

    frame = pd.DataFrame({name: pd.Series(asked["figures"], dtype="float64") for name, asked in questions.items()})
    suite = ExpectationSuite(
        name="arrival",
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(column=name, min_value=asked["low"], max_value=asked["high"])
            for name, asked in questions.items()
        ],
    )
    results = whole.get_batch(batch_parameters={"dataframe": frame}).validate(suite, result_format=COUNTS_ONLY).results
    return {result.expectation_config.kwargs["column"]: _counts(result) for result in results}


def _counts(result: Any) -> dict[str, Any]:
    found = result.result
    if "unexpected_count" not in found:
        return {"success": False, "checked": None, "failed": None, "error": "the expectation could not be computed"}
    return {
        "success": bool(result.success),
        # Questions have different numbers of figures; the frame is as long as the longest.
        "checked": int(found["element_count"]) - int(found["missing_count"] or 0),
        "failed": int(found["unexpected_count"]),
    }


if __name__ == "__main__":
    main()
