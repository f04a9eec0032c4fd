"""Files that ship, invented or real, have the headers of their contracts, and the real ones add up."""

import csv
from collections import defaultdict
from datetime import date
from pathlib import Path

from ingestion.contract import Contract, load_contracts, recognise
from ingestion.synth import write_extracts

EXAMPLES = Path(__file__).parent.parent / "examples" / "landing"
REGISTER = EXAMPLES / "county" / "programme"
CONTRACTS = {contract.name: contract for contract in load_contracts()}

# The portfolio row as the report prints it, in £000. The files hold programmes only and must come to it.
PRINTED_TARGETS = {"2018/19": 8569, "2019/20": 9617, "2020/21": 3658, "2021/22": 331}
PRINTED_AT_RISK = {"2017/18 or earlier": -3138, "2018/19": -6110, "2019/20": -253}
PRINTED_ALTERNATIVE_DELIVERY = 22


def headers_of(contract: Contract) -> list[str]:
    return [column.header for column in contract.columns]


def first_line(file: Path, contract: Contract) -> list[str]:
    with file.open(encoding=contract.encoding, newline="") as opened:
        return next(csv.reader(opened, delimiter=contract.delimiter))


def rows_of(table: str) -> list[dict[str, str]]:
    with (REGISTER / f"{table}_2018-10-31.csv").open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert rows
    return rows


def sums(table: str, amount: str) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for row in rows_of(table):
        totals[row["FINANCIAL_YEAR"]] += int(row[amount])
    return dict(totals)


def test_the_printed_report_of_october_is_there_and_later_papers_beside_it() -> None:
    october = {file.name.partition("_2018-10-31")[0] for file in REGISTER.glob("*_2018-10-31.csv")}
    assert october >= {
        "alternative_delivery", "amounts_at_risk", "programmes", "projects", "savings_targets", "statuses",
    }  # fmt: skip
    tables = {contract.table for contract in CONTRACTS.values() if contract.source == "programme"}
    shown = {file.name.rpartition("_")[0] for file in REGISTER.iterdir()}
    # Nobody prints single claims: they are about people.
    assert tables - shown == {"savings_claims"}


def test_examples_have_the_headers_of_their_contract() -> None:
    files = [path.relative_to(EXAMPLES) for path in EXAMPLES.rglob("*.csv")]
    assert len(files) > 20
    for file in files:
        ((contract, recognised),) = recognise(CONTRACTS.values(), file)
        assert recognised.council == "county"
        assert first_line(EXAMPLES / file, contract) == headers_of(contract), file


def test_invented_extracts_have_the_headers_of_their_contracts(tmp_path: Path) -> None:
    written = write_extracts(tmp_path, "exampleshire", 300, date(2016, 4, 1), date(2018, 10, 31), 1)
    assert len(written) == len(CONTRACTS)
    for contract in CONTRACTS.values():
        file = tmp_path / contract.path.format(council="exampleshire", date="2018-10-31")
        assert first_line(file, contract) == headers_of(contract)


def test_targets_of_the_programmes_come_to_the_printed_portfolio() -> None:
    assert sums("savings_targets", "TARGET_GBP_K") == PRINTED_TARGETS


def test_amounts_at_risk_of_the_programmes_come_to_the_printed_portfolio() -> None:
    assert sums("amounts_at_risk", "AT_RISK_GBP_K") == PRINTED_AT_RISK


def test_alternative_delivery_of_the_programmes_comes_to_the_printed_portfolio() -> None:
    amounts = [int(row["ALTERNATIVE_DELIVERY_GBP_K"]) for row in rows_of("alternative_delivery")]
    assert sum(amounts) == PRINTED_ALTERNATIVE_DELIVERY


def test_money_is_delivered_for_programmes_only_and_statuses_for_every_row() -> None:
    level = {row["PROGRAMME_REF"]: row["LEVEL"] for row in rows_of("programmes")}
    for table in ("savings_targets", "amounts_at_risk", "alternative_delivery"):
        assert {level[row["PROGRAMME_REF"]] for row in rows_of(table)} == {"programme"}
    assert [row["PROGRAMME_REF"] for row in rows_of("statuses")] == list(level)
    assert [row["REPORT_ORDER"] for row in rows_of("programmes")] == ["1", "2", "3", "4", "5", "6", "7"]
