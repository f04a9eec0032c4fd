"""Turns a block of text rows into typed rows and rejects, column by column, as the contract says."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from ingestion.codes import normalised
from ingestion.contract import Contract
from ingestion.extract import LINE
from ingestion.rules import Rule, is_free_text, rules, suspect
from ingestion.values import WIDEST, given, plain_number, text_name, text_of, value_of

REJECT_SCHEMA = {
    LINE: pl.Int64,
    "column_name": pl.String,
    "reason_code": pl.String,
    "rule": pl.String,
    "row_as_sent": pl.String,
}
SUBSTITUTE_FOR_NUL = "\N{SYMBOL FOR NULL}"
NORMALISED_SCHEMA = {LINE: pl.Int64, "column_name": pl.String, "as_sent": pl.String, "value": pl.String}


@dataclass(frozen=True)
class Conformed:
    """One block after conforming.

    `rows`: good rows, one column for each of the contract, and `source_line`.
    `rejects`: one row for each reason why a row is bad, as `REJECT_SCHEMA`.
    `held_keys`: keys of bad rows whose key can be read: what is known of them must stay.
    `normalised`: one row for each code that was written otherwise than its list has it, as `NORMALISED_SCHEMA`.
    `control_sum`: exact sum of the control column over good and bad rows, None if one cannot be read.
    """

    rows: pl.DataFrame
    control_sum: Decimal | None
    rejects: pl.DataFrame
    held_keys: pl.DataFrame
    normalised: pl.DataFrame


class Conformer:
    """The rules of one contract, compiled once and applied to block after block."""

    def __init__(self, contract: Contract, pseudonym: Callable[[pl.Series], pl.Series]) -> None:
        """Compile. `pseudonym` turns a column of references into a column of keyed pseudonyms."""
        self._contract = contract
        self._pseudonym = pseudonym
        self._names = [LINE, *(column.name for column in contract.columns)]
        self._free_text = {column.header for column in contract.columns if is_free_text(column)}
        self._given = [given(text_of(column)).alias(text_name(column)) for column in contract.columns]
        self._values = [value_of(column).alias(column.name) for column in contract.columns]
        promised = contract.control_total
        self._control_column = next(
            (column for column in contract.columns if promised and column.name == promised.column), None
        )
        self._coded = [column for column in contract.columns if column.codes]
        self._suspects, self._suspects_without_nul = (
            [suspect(column, may_hold_nul=nul).alias(column.name) for column in contract.columns]
            for nul in (True, False)
        )
        self._rules = [rule for column in contract.columns for rule in rules(contract, column)]

    def conform(
        self,
        block: pl.DataFrame,
        carried: tuple[str, ...] = (),
        *,
        may_hold_nul: bool = True,
        padded: Collection[str] | None = None,
    ) -> Conformed:
        """Split a block into typed rows and rejects. No row is lost: each ends in one or the other.

        The columns `carried` go along with the good rows as they are. A block that is known to hold no NUL need not
        be searched for one, and free text that is known to have no space around it, not being `padded`, not trimmed.
        """
        sent = block.drop(carried)
        # A space around a number, date or code breaks its rule: only then is the block trimmed, and looked at again.
        frame = self._read(sent, self._free_text if padded is None else self._free_text.intersection(padded))
        broken = self._broken(frame, self._suspects if may_hold_nul else self._suspects_without_nul)
        if broken:
            frame = self._read(sent, [column.header for column in self._contract.columns])
            broken = self._broken(frame, self._suspects)
        rejects, held = pl.DataFrame(schema=REJECT_SCHEMA), pl.DataFrame()
        is_bad = None
        if broken:
            masks = frame.select(rule.is_broken.fill_null(value=False).alias(str(i)) for i, rule in enumerate(broken))
            is_bad = masks.select(pl.any_horizontal(pl.all())).to_series()
            rejects = _rejects(sent, broken, masks)
            held = frame.filter(is_bad).select(column.name for column in self._contract.key).drop_nulls()
        otherwise_written = self._normalised(sent, frame)
        good = frame.select(self._names).with_columns(block.select(carried))
        if is_bad is not None:
            good = good.filter(~is_bad)
        pseudonymised = self._contract.pseudonymised
        if pseudonymised is not None:
            pseudonyms = self._pseudonym(good[pseudonymised.name])
            good = good.with_columns(pseudonyms.alias(str(pseudonymised.pseudonym_column)))
        return Conformed(
            rows=good,
            rejects=rejects,
            held_keys=held,
            normalised=otherwise_written,
            control_sum=self.control_sum(block) if broken else self._sum(frame),
        )

    def control_sum(self, block: pl.DataFrame) -> Decimal | None:
        """Sum the control column over every row of a block, good or bad; None if one cannot be read."""
        column = self._control_column
        if column is None:
            return Decimal(0)
        amounts = block[column.header].cast(WIDEST, strict=False)
        if not amounts.null_count():
            return Decimal(str(amounts.sum())) * column.pounds_per_unit
        amounts = block.select(
            plain_number(column, given(pl.col(column.header).str.strip_chars())).cast(WIDEST, strict=False)
        ).to_series()
        return None if amounts.null_count() else Decimal(str(amounts.sum())) * column.pounds_per_unit

    def _sum(self, frame: pl.DataFrame) -> Decimal | None:
        if self._control_column is None:
            return Decimal(0)
        amounts = frame[self._control_column.name]
        return None if amounts.null_count() else Decimal(str(amounts.sum()))

    def _read(self, block: pl.DataFrame, to_trim: Collection[str]) -> pl.DataFrame:
        """Give text and value of every column, the text of some without the spaces around it."""
        trimmed = block.with_columns(pl.col(column).str.strip_chars() for column in to_trim)
        texts = [pl.col(column.header).alias(text_name(column)) for column in self._contract.columns]
        frame = trimmed.select(LINE, *texts).with_columns(self._given).with_columns(self._values)
        return frame.with_columns(
            pl.coalesce(column.name, normalised(text_of(column), column.codes)).alias(column.name)
            for column in self._coded
            if frame[column.name].null_count() > frame[text_name(column)].null_count()
        )

    def _broken(self, frame: pl.DataFrame, suspects: list[pl.Expr]) -> list[Rule]:
        """Give the rules that any row breaks. Most blocks break none, which one look at each column shows."""
        looks = frame.select(suspects).row(0, named=True)
        rules = [rule for rule in self._rules if looks[rule.column.name]]
        if not rules:
            return []
        found = frame.select(rule.is_broken.any().alias(str(i)) for i, rule in enumerate(rules)).row(0)
        return [rule for rule, is_broken in zip(rules, found, strict=True) if is_broken]

    def _normalised(self, block: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
        found = []
        for column in self._coded:
            differs = (frame[column.name] != block[column.header]).fill_null(value=False)
            if differs.any():
                found.append(
                    pl.DataFrame(
                        {
                            LINE: block[LINE].filter(differs),
                            "column_name": column.header,
                            "as_sent": block[column.header].filter(differs),
                            "value": frame[column.name].filter(differs),
                        },
                        schema=NORMALISED_SCHEMA,
                    )
                )
        return pl.concat(found) if found else pl.DataFrame(schema=NORMALISED_SCHEMA)


def _rejects(block: pl.DataFrame, broken: Iterable[Rule], masks: pl.DataFrame) -> pl.DataFrame:
    found = [
        block.filter(masks[str(number)]).select(
            LINE,
            pl.lit(rule.column.header).alias("column_name"),
            pl.lit(rule.reason_code).alias("reason_code"),
            pl.lit(rule.rule).alias("rule"),
            # PostgreSQL cannot keep a NUL, nor read what says that there was one.
            pl.struct(pl.exclude(LINE).str.replace_all("\0", SUBSTITUTE_FOR_NUL, literal=True))
            .struct.json_encode()
            .alias("row_as_sent"),
        )
        for number, rule in enumerate(broken)
    ]
    return pl.concat(found).sort(LINE, maintain_order=True)
