"""The rules that dbt models implement, on small cases: dbt's own unit tests, run on a real night's database."""

import json
import subprocess
import sys
from datetime import date

import pytest

from carehouse.build import dbt_environment
from tests.conftest import Night

AS_AT = date(2018, 10, 31)


@pytest.mark.any_server
def test_every_dbt_unit_test_passes(built_again: Night) -> None:
    # dbt asks the database for the columns of the models beneath, and publication has taken the first candidate away.
    settings = built_again.warehouse.settings
    command = [sys.executable, "-m", "carehouse.dbt_process", "test", "--select", "test_type:unit"]
    command += ["--project-dir", str(settings.project / "dbt_project"), "--no-use-colors"]
    tested = subprocess.run(
        command, env=dbt_environment(settings, AS_AT, 0), capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stdout
    results = json.loads((settings.home / "dbt" / "target" / "run_results.json").read_text())["results"]
    assert len(results) >= 28
    assert {result["status"] for result in results} == {"pass"}
