"""`python -m benchmarks.ingest DAY`: loads what lies in the landing folder, without judging what arrived.

The judge is Great Expectations in a process of its own, whose start would be most of what is measured.
"""

import sys
from datetime import date

from carehouse.settings import Settings
from ingestion.landing import ingest

if __name__ == "__main__":
    ingest(Settings.load(), business_date=date.fromisoformat(sys.argv[1]))
