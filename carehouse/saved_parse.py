"""What dbt has kept of reading the project, used again only for the very same project."""

import hashlib
from importlib.metadata import version
from pathlib import Path

# What reads the project, besides the project itself.
READERS = ("dbt-core", "dbt-adapters", "dbt-postgres")
# What dbt keeps of the project: for itself, and for others to read.
KEPT = ("partial_parse.msgpack", "manifest.json")
# What dbt or a lint leaves in the project's folder is not of it.
LEFT_BEHIND = {"target", "logs", "dbt_packages", "__pycache__"}


def keep_only_if_same(project: Path, target: Path) -> None:
    """Forget what dbt has kept in `target` unless every byte of `project` and dbt itself are as they were then.

    dbt itself goes by the time a file was last changed, and files copied into an image may all have one time.
    """
    read = target / "parsed_project.sha256"
    now = fingerprint(project)
    if not read.is_file() or read.read_text() != now:
        for of_the_project in KEPT:
            (target / of_the_project).unlink(missing_ok=True)
        target.mkdir(parents=True, exist_ok=True)
        read.write_text(now)


def fingerprint(project: Path) -> str:
    """Give what is the same for two projects only if every byte of them and what reads them are."""
    found = hashlib.sha256()
    for reader in READERS:
        found.update(f"{reader} {version(reader)}\0".encode())
    for path in sorted(project.rglob("*")):
        inside = path.relative_to(project)
        if path.is_file() and not LEFT_BEHIND & set(inside.parts):
            content = path.read_bytes()
            found.update(f"{inside} {len(content)}\0".encode())
            found.update(content)
    return found.hexdigest()
