"""The Shared Lives cost comparison of the paper of January 2019: a file in the landing folder, a published table out."""

import csv
import io

import pytest

from tests.conftest import Night

pytestmark = pytest.mark.any_server

# Typed in from the paper: cost a week, difference to Shared Lives, and what four placements avoid in 52 weeks. The paper
# prints the last two cut to thousands: £208,000 and £59,000.
PRINTED = """
accommodation_type,average_weekly_cost_gbp,weekly_difference_gbp,placement_count,cost_avoided_gbp,cost_avoided_gbp_k
Younger Adults Residential Care,1380.00,1001.00,4,208208.00,208
Younger Adults Supported Accommodation,666.00,287.00,4,59696.00,59
Shared Lives,379.00,0.00,4,0.00,0
"""


def test_the_printed_cost_comparison_comes_out_exactly(january: Night) -> None:
    printed = list(csv.DictReader(io.StringIO(PRINTED.strip())))
    asked = january.warehouse.command(
        "sql",
        f"select {', '.join(printed[0])} from mart.kpi_shared_lives_cost_comparison"
        " where council_code = 'county' order by average_weekly_cost_gbp desc",
    )
    assert list(csv.DictReader(io.StringIO(asked.stdout))) == printed

    asked = january.warehouse.command(
        "sql",
        "select breakdown_value, value from mart.kpi_values where council_code = 'county' and measure_id = 'K030'"
        " order by value",
    )
    assert asked.stdout.split() == ["breakdown_value,value", "supported_living,59696.00", "residential,208208.00"]
