"""Rules of ours that hold for marts of any subject: of what was delivered, and of what was published last.

What they compare is counts: those that were taken when the files landed (audit.batch_profile), and those that the
gate takes of every mart it judges (audit.mart_profile). None reads a row of history.
"""

from collections.abc import Sequence

from psycopg import sql
from pydantic import Field

from expectations.arguments import Arguments, Mart, OfEachMart, UnexpectedRows

NO_MONTH = "its suite names no month by which its rows could be counted"


class RowsOfEveryCouncil(OfEachMart):
    """Every council that delivers all source tables in `delivered_by` of the suite has a row in the mart.

    In a mart of so many month ends, `within_months`, a council has none left once one of them is older.
    """

    within_months: int | None = Field(default=None, ge=1)

    def on(self, mart: Mart) -> UnexpectedRows | str:
        delivering = delivering_councils(mart.delivered_by, self.within_months)
        table = sql.Identifier("candidate", mart.name).as_string()
        return UnexpectedRows(
            query=f"select council_code from ({delivering}) as delivering\n"
            f"where not exists (select from {table} as shown where shown.council_code = delivering.council_code)",
            rows_checked=f"select count(*) from ({delivering}) as delivering",
        )


class RowsAsLanded(OfEachMart):
    """Each council's rows are as many as those of the source tables in `of` together were when the files landed.

    Up to `left_out_percent` of them may be left out by the mart's own rules, and what was taken away on purpose since;
    none may come from elsewhere.
    """

    of: list[str] = Field(min_length=1)
    left_out_percent: float = Field(default=0, ge=0, lt=100)

    def sources(self) -> tuple[str, ...]:
        return tuple(self.of)

    def on(self, mart: Mart) -> UnexpectedRows | str:
        landed = f"""
            select council_code, sum(landed_row_count) as row_count, sum(taken_away_row_count) as taken_away_row_count
            from audit.landed_table
            where source_name || '.' || table_name in ({_literals(self.of)}) and landed_row_count is not null
            group by council_code
        """
        return UnexpectedRows(
            query=f"""
                select council_code
                from ({landed}) as landed
                full join ({_counted(mart.name, "row_count")}) as shown (council_code, row_count) using (council_code)
                where
                    coalesce(shown.row_count, 0) > coalesce(landed.row_count, 0)
                    or coalesce(shown.row_count, 0)
                    < landed.row_count * (1 - {self.left_out_percent} / 100.0) - landed.taken_away_row_count
            """,
            rows_checked=f"select count(*) from ({landed}) as landed",
        )


class AmountAsLanded(OfEachMart):
    """Each council's `amount`, all rows together, is the control total of the source table `of`, to the penny.

    Not judged where rows were taken away on purpose, which the control total of the file still holds.
    """

    of: str

    def sources(self) -> tuple[str, ...]:
        return (self.of,)

    def on(self, mart: Mart) -> UnexpectedRows | str:
        if mart.amount is None:
            return "its suite names no amount"
        landed = f"""
            select council_code, control_total_gbp
            from audit.landed_table
            where source_name || '.' || table_name = {_literal(self.of)} and control_total_gbp is not null
        """
        return UnexpectedRows(
            query=f"""
                select council_code
                from ({landed}) as landed
                left join ({_counted(mart.name, "amount_gbp")}) as shown (council_code, amount_gbp) using (council_code)
                where landed.control_total_gbp is distinct from shown.amount_gbp
            """,
            rows_checked=f"select count(*) from ({landed}) as landed",
        )


class RowsNearLastPublication(OfEachMart):
    """Each council has about as many rows as in the last publication.

    Judged where it had `rows_at_least` there. `fewer_percent` and `more_percent` say how far it may be off.
    """

    fewer_percent: float = Field(ge=0, le=100)
    more_percent: float | None = Field(default=None, ge=0)
    rows_at_least: int = Field(default=1, ge=1)

    def on(self, mart: Mart) -> UnexpectedRows | str:
        councils = f"""
            select council_code, sum(row_count) as row_count, sum(previous_row_count) as previous_row_count
            from audit.mart_movement
            where table_name = {_literal(mart.name)}
            group by council_code
            having sum(previous_row_count) >= {self.rows_at_least}
        """
        return _off(councils, _beyond(self.fewer_percent, self.more_percent))


class PastMonthsNearLastPublication(OfEachMart):
    """Each council's past months have about the rows, and the amounts, that they had in the last publication.

    A month is past when it ended before the month that publication speaks for; later ones are still being filled.
    """

    percent: float = Field(gt=0)
    rows_at_least: int = Field(default=1, ge=1)

    def on(self, mart: Mart) -> UnexpectedRows | str:
        if mart.month is None:
            return NO_MONTH
        months = f"""
            select council_code, month_start_date, row_count, previous_row_count, amount_gbp, previous_amount_gbp
            from audit.mart_movement
            where
                table_name = {_literal(mart.name)}
                and is_comparable
                and month_start_date < date_trunc('month', previous_as_at_date::timestamp)::date
                and previous_row_count >= {self.rows_at_least}
        """
        amounts = f"abs(amount_gbp - previous_amount_gbp) > abs(previous_amount_gbp) * {self.percent} / 100.0"
        return _off(months, f"{_beyond(self.percent, self.percent)} or {amounts}")


class NoMonthVanished(OfEachMart):
    """Each month of a council that had `rows_at_least` rows in the last publication has a row."""

    rows_at_least: int = Field(default=1, ge=1)

    def on(self, mart: Mart) -> UnexpectedRows | str:
        if mart.month is None:
            return NO_MONTH
        months = f"""
            select council_code, month_start_date, row_count
            from audit.mart_movement
            where
                table_name = {_literal(mart.name)}
                and is_comparable
                and previous_row_count >= {self.rows_at_least}
        """
        return _off(months, "row_count = 0")


class NoHoleInMonths(OfEachMart):
    """Between its first month and its last a council has a row in each, if it usually has `rows_at_least`."""

    rows_at_least: int = Field(default=1, ge=1)

    def on(self, mart: Mart) -> UnexpectedRows | str:
        if mart.month is None:
            return NO_MONTH
        months = f"""
            select series.council_code, expected.month_start_date::date, coalesce(counted.row_count, 0) as row_count
            from (
                select council_code, min(month_start_date) as first_month, max(month_start_date) as last_month
                from audit.mart_movement
                where table_name = {_literal(mart.name)} and is_comparable and row_count > 0
                group by council_code
                having percentile_disc(0.5) within group (order by row_count) >= {self.rows_at_least}
            ) as series
            cross join generate_series(series.first_month::timestamp, series.last_month::timestamp, '1 month')
                as expected (month_start_date)
            left join audit.mart_movement as counted
                on
                    counted.table_name = {_literal(mart.name)}
                    and counted.council_code = series.council_code
                    and counted.month_start_date = expected.month_start_date::date
        """
        return _off(months, "row_count = 0")


def delivering_councils(tables: Sequence[str], within_months: int | None = None) -> str:
    """Give the SQL that lists the councils that deliver all of `tables`, as the build being judged had them.

    The latest accepted delivery that was known to the build decides, however old it is: a source that has fallen
    silent still delivers what it last said; with `within_months`, while none of them is older than the first of so many
    month ends up to the build's day. One that left its table without a row delivers nothing.
    """
    wanted = sorted(set(tables))
    recently = (
        "min(newest_extract_date) >= "
        f"date_trunc('month', max(as_at_date) + interval '1 day') - interval '{within_months - 1} months 1 day'"
        if within_months
        else "true"
    )
    return f"""
        select council_code
        from audit.landed_table
        where source_name || '.' || table_name in ({_literals(wanted)}) and coalesce(landed_row_count, 1) > 0
        group by council_code
        having count(*) = {len(wanted)} and {recently}
    """


def _counted(table: str, column: str) -> str:
    return f"""
        select council_code, sum({column})
        from audit.mart_movement
        where table_name = {_literal(table)} and row_count > 0
        group by council_code
    """


def _beyond(fewer_percent: float, more_percent: float | None) -> str:
    fewer = f"row_count < previous_row_count * (1 - {fewer_percent} / 100.0)"
    more = f" or row_count > previous_row_count * (1 + {more_percent} / 100.0)"
    return fewer if more_percent is None else fewer + more


def _off(looked_at: str, off: str) -> UnexpectedRows:
    return UnexpectedRows(
        query=f"select council_code from ({looked_at}) as looked_at\nwhere {off}",
        rows_checked=f"select count(*) from ({looked_at}) as looked_at",
    )


def _literal(text: str) -> str:
    return sql.Literal(text).as_string()


def _literals(texts: Sequence[str]) -> str:
    return ", ".join(_literal(text) for text in texts)


OF_EACH_MART: dict[str, type[Arguments]] = {
    "rows_of_every_council_that_delivers": RowsOfEveryCouncil,
    "rows_as_landed": RowsAsLanded,
    "amount_as_landed": AmountAsLanded,
    "rows_near_last_publication": RowsNearLastPublication,
    "past_months_near_last_publication": PastMonthsNearLastPublication,
    "no_month_vanished": NoMonthVanished,
    "no_hole_in_months": NoHoleInMonths,
}
