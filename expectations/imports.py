"""Great Expectations takes seconds to import: less of it, and while something else is waited for."""

import importlib
import importlib.util
import os
import sys
from threading import Thread

# Imported for one expectation that no suite may name: a quarter of the whole.
NEVER_USED = ("scipy.stats",)


def import_later() -> None:
    """Set Great Expectations up to be imported: it is not to phone home, nor to load what is never used."""
    # Read while it is imported.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    for name in NEVER_USED:
        if name not in sys.modules:
            _on_first_use(name)


def import_meanwhile() -> None:
    """Begin to import it in the background; whoever needs it waits for the rest."""
    import_later()
    Thread(target=importlib.import_module, args=("expectations.engine",), daemon=True).start()


def _on_first_use(name: str) -> None:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return
    if spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    parent, _, child = name.rpartition(".")
    setattr(sys.modules[parent], child, module)
