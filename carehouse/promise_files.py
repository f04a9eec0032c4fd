"""The record of what readers were promised, against what dbt declares now and what was released last."""

import io
import subprocess
import tarfile
from datetime import date
from pathlib import Path

from carehouse.declared_marts import declared
from carehouse.promise import HOW_TO, Promise, PromiseError, breaks, read_all, refuse, today

FOLDER = Path("dbt_project/published")
# Views that no model makes; a test holds them against the database.
FOLDER_OF_VIEWS = Path("carehouse/sql/published")


def wanted(project: Path, on: date | None = None) -> dict[Path, str]:
    """Give every file of the record with the text it must have: what is promised already, and what was added.

    Raises:
        PromiseError: a mart may not be published as it is declared, or would break what readers were promised;
            the message names mart, column, before and after, and what to do.
    """
    day = on or today()
    marts, promised = declared(project), read_all(project / FOLDER)
    unfit = [fault for mart in marts.values() for fault in mart.faults]
    if unfit:
        raise PromiseError("These marts cannot be published:\n" + "\n".join(f"  {fault}" for fault in unfit))
    broken: list[str] = []
    for name, promise in promised.items():
        if name in marts:
            broken += breaks(promise, marts[name].promise, day)
        else:
            broken.append(_gone(promise, day))
    refuse(broken)
    refuse(_broken_since_release(project, day))
    return {project / FOLDER / f"{name}.yml": mart.promise.text() for name, mart in marts.items()}


def retire(project: Path, mart: str, on: date | None = None) -> Path:
    """Take back what was promised of a mart whose last day is over, and whose model is gone; give the file removed.

    Raises:
        PromiseError: nothing was promised of it, it is still declared, or its last day was never announced or is not
            over.
    """
    day = on or today()
    promise = read_all(project / FOLDER).get(mart)
    if promise is None:
        raise PromiseError(f"Nothing was promised of mart.{mart}; see {FOLDER}")
    if mart in declared(project):
        raise PromiseError(f"mart.{mart} is still declared; take its model away first.")
    if promise.deprecation_date is None or promise.deprecation_date >= day:
        raise PromiseError(f"{_gone(promise, day)}. See {HOW_TO}")
    path = project / FOLDER / f"{mart}.yml"
    path.unlink()
    return path


def _gone(promise: Promise, on: date) -> str:
    mart = f"mart.{promise.mart}"
    if promise.deprecation_date is None:
        return f"{mart}: would be gone, and no day was announced after which it goes"
    if promise.deprecation_date >= on:
        return f"{mart}: would be gone, and was to stay until {promise.deprecation_date}"
    return f"{mart}: is gone, as announced; take back its promise: carehouse contracts retire {promise.mart}"


def _broken_since_release(project: Path, on: date) -> list[str]:
    """Say what the record itself no longer promises that the last release did, however it was edited."""
    broken: list[str] = []
    for folder in (FOLDER, FOLDER_OF_VIEWS):
        recorded = read_all(project / folder)
        for name, promise in _released(project, folder).items():
            if name in recorded:
                broken += breaks(promise, recorded[name], on)
            elif promise.deprecation_date is None or promise.deprecation_date >= on:
                broken.append(_gone(promise, on))
    return broken


def _released(project: Path, folder: Path) -> dict[str, Promise]:
    """Give the promises of the last release, where git and its tag are here; before the first there are none."""
    tag = _git(project, "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*").decode().strip()
    archived = _git(project, "archive", "--format=tar", tag, folder.as_posix()) if tag else b""
    if not archived:
        return {}
    with tarfile.open(fileobj=io.BytesIO(archived)) as files:
        return {
            Path(file.name).stem: Promise.read(Path(file.name).stem, content.read().decode())
            for file in files
            if file.name.endswith(".yml") and (content := files.extractfile(file))
        }


def _git(project: Path, *arguments: str) -> bytes:
    try:
        asked = subprocess.run(["git", "-C", str(project), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        return b""
    return asked.stdout if asked.returncode == 0 else b""
