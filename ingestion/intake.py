"""Takes an extract in, once, block by block: passes over what is known, conforms the rest, and counts every row."""

import csv
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal

import polars as pl

from ingestion.ahead import ahead
from ingestion.conform import NORMALISED_SCHEMA, REJECT_SCHEMA, SUBSTITUTE_FOR_NUL, Conformer
from ingestion.contract import CHANGES, Column
from ingestion.extract import LINE, Extract
from ingestion.fingerprint import FIRST, HALVES, SECOND, Fingerprinter, Known
from ingestion.reader import open_extract
from ingestion.refusal import FileRefused
from ingestion.suppression import Suppression

# Few rows of a block are news on most nights: they wait until there are enough to be worth a conformer's while.
ROWS_TO_CONFORM = 20_000


class Intake:
    """One reading of one extract. Its counts are complete once `rows` is exhausted."""

    def __init__(
        self,
        extract: Extract,
        conformer: Conformer,
        fingerprinter: Fingerprinter,
        known: Known,
        suppression: Suppression | None = None,
    ) -> None:
        """Rows whose fingerprint is in `known` are counted in `known_count` and passed over.

        Rows of people erased, as `suppression` tells them, are counted in `erased_count` and nothing of them is kept.
        """
        self.extract = extract
        if len(known):
            # Few rows will come to be conformed: to trim them takes less than to look at all.
            extract.padded = {column.header for column in extract.contract.columns}
        self.row_count = 0
        self.known_count = 0
        self.erased_count = 0
        self.control_sum: Decimal | None = Decimal(0)
        self.held_keys: list[pl.DataFrame] = []
        self._conformer = conformer
        self._fingerprinter = fingerprinter
        self._known = known
        self._suppression = suppression
        self._malformed_kept: list[tuple[int, str]] = []
        self._rejects: list[pl.DataFrame] = []
        self._normalised: list[pl.DataFrame] = []

    def rows(self) -> Iterator[pl.DataFrame]:
        """Give the good rows that are not known: a column for each of the contract, `source_line` and fingerprint.

        Raises:
            FileRefused: the file cannot be read to its end, has no row, or not the control totals it promises.
        """
        pending: list[pl.DataFrame] = []
        for block in ahead(self.extract.blocks()):
            self.row_count += block.height
            news = self._news(block)
            pending.append(news)
            if sum(each.height for each in pending) >= (ROWS_TO_CONFORM if len(self._known) else 1):
                yield self._conform(pl.concat(pending))
                pending.clear()
        if pending:
            yield self._conform(pl.concat(pending))
        self._take_malformed()
        self._hold_malformed()
        # On a quiet day nothing changes; a whole table is never empty.
        if self.row_count == 0 and self.extract.contract.delivery != CHANGES:
            raise FileRefused("no_rows", f"{self.extract.path.name}: the file has a header and no rows.")
        self._refuse_wrong_total()

    def first_lines(self, fingerprints: pl.DataFrame) -> pl.DataFrame:
        """Read the file once more to find where rows of these fingerprints stand first: rarely needed, never kept."""
        again = open_extract(self.extract.path, self.extract.contract, self.extract.server)
        blocks = (self._suppression.apply(block)[0] if self._suppression else block for block in again.blocks())
        found = [
            block.select(LINE).with_columns(self._fingerprinter.of(block)).join(fingerprints, on=HALVES, how="semi")
            for block in blocks
        ]
        return pl.concat(found).group_by(HALVES).agg(pl.col(LINE).min().cast(pl.Int32))

    def rejects(self) -> pl.DataFrame:
        """Give one row for each reason why a row is bad, as `REJECT_SCHEMA`."""
        malformed = [
            # PostgreSQL cannot keep a NUL.
            (
                line,
                None,
                "wrong_field_count",
                "must have as many fields as the header",
                text.replace("\0", SUBSTITUTE_FOR_NUL),
            )
            for line, text in self._malformed_kept
        ]
        return pl.concat([*self._rejects, pl.DataFrame(malformed, schema=REJECT_SCHEMA, orient="row")])

    def normalised(self) -> pl.DataFrame:
        """Give one row for each code that was written otherwise than its list has it, as `NORMALISED_SCHEMA`."""
        return pl.concat([*self._normalised, pl.DataFrame(schema=NORMALISED_SCHEMA)])

    def _add_to_control_sum(self, part: Decimal | None) -> None:
        if self.control_sum is not None:
            self.control_sum = None if part is None else self.control_sum + part

    def _pass_over_known(self, block: pl.DataFrame) -> pl.DataFrame:
        if not len(self._known):
            return block
        self._add_to_control_sum(self._conformer.control_sum(block))
        is_known, is_repeat = self._known.meet(block.select(FIRST, SECOND))
        self.known_count += int(is_known.sum() - is_repeat.sum())
        if is_repeat.any():
            self._rejects.append(repeats(block.filter(is_repeat)[LINE]))
        # Filtered text still holds on to its whole block: written anew, it lets go.
        return pl.DataFrame(pl.from_arrow(block.filter(~is_known).to_arrow(compat_level=pl.CompatLevel.oldest())))

    def _conform(self, block: pl.DataFrame) -> pl.DataFrame:
        conformed = self._conformer.conform(
            block, carried=HALVES, may_hold_nul=self.extract.may_hold_nul, padded=self.extract.padded
        )
        if not len(self._known):
            self._add_to_control_sum(conformed.control_sum)
        self._rejects.append(conformed.rejects)
        self._normalised.append(conformed.normalised)
        if conformed.held_keys.height:
            self.held_keys.append(conformed.held_keys)
        return conformed.rows

    def _news(self, block: pl.DataFrame) -> pl.DataFrame:
        suppression = self._suppression
        if not suppression:
            return self._pass_over_known(block.with_columns(self._fingerprinter.of(block)))
        if suppression.deletes and len(self._known):
            # What history holds is nobody's who was erased, so only news need be held against the register.
            kept, erased = suppression.apply(self._pass_over_known(block.with_columns(self._fingerprinter.of(block))))
            self.erased_count += erased.height
            return kept
        # A row that is kept under other numbers is known by them.
        kept, erased = suppression.apply(block)
        self.erased_count += erased.height
        if erased.height:
            self._add_to_control_sum(self._conformer.control_sum(erased))
        return self._pass_over_known(kept.with_columns(self._fingerprinter.of(kept)))

    def _take_malformed(self) -> None:
        malformed = self.extract.malformed()
        self.row_count += len(malformed)
        suppression = self._suppression
        self._malformed_kept = [
            (line, text)
            for line, text in malformed
            if not suppression or not suppression.malformed_is_of_erased(text, self.extract.server)
        ]
        self.erased_count += len(malformed) - len(self._malformed_kept)

    def _hold_malformed(self) -> None:
        """Hold the keys of rows with a wrong number of fields, lest what is known of them seem to have vanished.

        A stray or missing delimiter moves the fields behind it, so a key is looked for from either end.
        """
        found = keys_of_malformed(self.extract, self._malformed_kept)
        if found.height and len(self._known):
            key = [column.name for column in self.extract.contract.key]
            conformed = self._conformer.conform(found)
            self.held_keys += [keys.select(key) for keys in (conformed.rows, conformed.held_keys) if keys.height]

    def _refuse_wrong_total(self) -> None:
        promised, contract = self.extract.control_record, self.extract.contract
        if promised is None:
            return
        name = self.extract.path.name
        if promised.row_count != self.row_count:
            raise FileRefused(
                "control_rows_differ",
                f"{name}: its control record says {promised.row_count} rows, the file holds {self.row_count}.",
            )
        if self.control_sum is None or promised.total != self.control_sum:
            column = contract.control_total.column if contract.control_total else ""
            raise FileRefused(
                "control_total_differs", f"{name}: the sum of {column} over its rows is not that of its control record."
            )


def keys_of_malformed(extract: Extract, malformed: list[tuple[int, str]]) -> pl.DataFrame:
    """Give a block with nothing but keys in it, two rows for each row with a wrong number of fields."""
    rows = [
        {column.header: fields[place] for column, place in places.items() if 0 <= place < len(fields)}
        for fields in _fields_of_malformed(extract, malformed)
        for places in _places_of_key(extract, len(fields))
    ]
    headers = [column.header for column in extract.contract.columns]
    block = pl.DataFrame(rows, schema=dict.fromkeys(headers, pl.String), orient="row")
    return block.with_columns(pl.all().fill_null("")).with_columns(pl.lit(0, dtype=pl.Int64).alias(LINE))


def _fields_of_malformed(extract: Extract, malformed: list[tuple[int, str]]) -> Iterator[list[str]]:
    quote = extract.server.quote
    # A workbook has no header line to count along.
    for _, text in malformed if extract.headers else []:
        line = [text.rstrip("\r\n")]
        with suppress(csv.Error):
            yield next(
                csv.reader(
                    line,
                    delimiter=extract.server.delimiter,
                    quotechar=quote,
                    quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
                ),
                [],
            )


def _places_of_key(extract: Extract, field_count: int) -> Iterator[dict[Column, int]]:
    for start in (0, field_count - len(extract.headers)):
        yield {column: start + extract.headers.index(column.header) for column in extract.contract.key}


def repeats(lines: pl.Series) -> pl.DataFrame:
    """Give the rejects of rows that repeat an earlier row of the same file in every column."""
    return _whole_rows(lines, "repeated_row", "must not repeat an earlier row")


def conflicts(lines: pl.Series, extract: Extract) -> pl.DataFrame:
    """Give the rejects of rows that share a key and differ."""
    key = ", ".join(column.header for column in extract.contract.key)
    return _whole_rows(lines, "conflicting_key", f"must be the only row with its {key}; other rows with it differ")


def _whole_rows(lines: pl.Series, reason_code: str, rule: str) -> pl.DataFrame:
    return pl.select(
        lines.cast(pl.Int64).alias(LINE),
        column_name=pl.lit(None, dtype=pl.String),
        reason_code=pl.lit(reason_code),
        rule=pl.lit(rule),
        row_as_sent=pl.lit(""),
    )
