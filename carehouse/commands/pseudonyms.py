"""`carehouse pseudonyms`: the key, and what leads from old pseudonyms to new ones."""

import csv
import sys
from dataclasses import asdict
from getpass import getuser
from typing import Annotated

import typer

from carehouse.commands.answers import print_answer, print_table
from carehouse.commands.options import AsJson, By, Reason
from carehouse.settings import Settings

pseudonyms = typer.Typer(no_args_is_help=True, help="The key of people's pseudonyms, and what leads from old ones.")


@pseudonyms.command("keys")
def pseudonyms_keys() -> None:
    """List the versions of the key: never a key."""
    from ingestion.rotation import key_versions

    print_table(key_versions(Settings.load()), "Nothing has been loaded yet.")


@pseudonyms.command("rotate")
def pseudonyms_rotate(because: Reason, by: By = None, as_json: AsJson = False) -> None:
    """Change the key: everybody gets a new pseudonym throughout history, and the old one leads to it."""
    from ingestion.rotation import rotate

    print_answer(asdict(rotate(Settings.load(), by or getuser(), because)), as_json)


@pseudonyms.command("links")
def pseudonyms_links() -> None:
    """Print as CSV which pseudonym each retired one leads to now, as the auditor."""
    from ingestion.rotation import links

    written = csv.writer(sys.stdout, lineterminator="\n")
    written.writerow(["council_code", "key_version", "retired_person_id", "person_id"])
    written.writerows(links(Settings.load()))


@pseudonyms.command("forget")
def pseudonyms_forget(
    through: Annotated[int, typer.Option(min=1, help="The latest key version whose links go.")],
    because: Reason,
    by: By = None,
) -> None:
    """Delete the links from pseudonyms of old key versions; nothing brings them back."""
    from ingestion.rotation import forget

    print_answer({"forgotten": forget(Settings.load(), through, by or getuser(), because)}, as_json=False)
