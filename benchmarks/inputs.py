"""The night that is measured: the October 2018 register and an invented council, in the landing folder."""

from benchmarks.scratch import Warehouse

AS_AT = "2018-10-31"
INVENTED = ("--from", "2016-04-01", "--to", AS_AT, "--seed", "2018")


def land_night(fresh: Warehouse, people: int) -> None:
    """Put every extract of one night into the landing folder."""
    register = fresh.settings.project / "examples" / "landing"
    for extract in sorted(register.rglob("*.csv")):
        fresh.land(extract, register)
    fresh.command("synth", "--people", str(people), *INVENTED)
