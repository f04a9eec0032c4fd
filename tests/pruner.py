"""A pruner to be killed at any moment: `python -m tests.pruner <seed>` drops what is old, again and again."""

import random
import sys
import time

from carehouse.pruning import prune
from carehouse.settings import Settings

KEPT = 8

if __name__ == "__main__":
    where, chance = Settings.load(), random.Random(int(sys.argv[1]))  # noqa: S311
    while True:
        prune(where, KEPT)
        time.sleep(chance.uniform(0, 0.2))
