"""Finance, programme, registers and measures: every file fits its contract, and what they say hangs together."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from carehouse.settings import PROJECT
from ingestion.conform import Conformer
from ingestion.contract import Contract, load_contracts, recognise
from ingestion.landing import ingest
from ingestion.reader import open_extract
from ingestion.refusal import FileRefused
from ingestion.synth import write_extracts
from ingestion.synth.back_office import BACK_OFFICE
from tests.conftest import Warehouse

START, END = date(2016, 4, 1), date(2018, 10, 31)
EXAMPLES = PROJECT / "examples" / "landing"
EXAMPLE_FILES = sorted(path.relative_to(EXAMPLES) for path in EXAMPLES.rglob("*.csv"))
SOURCES_PAGE = PROJECT / "docs" / "reference" / "sources.md"
CONTRACTS = {contract.name: contract for contract in load_contracts()}


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("landing")
    assert write_extracts(folder, "exampleshire", 800, START, END, 11)
    return folder


@pytest.fixture(scope="module")
def council(landing: Path) -> Path:
    return landing / "exampleshire"


def no_pseudonym(references: pl.Series) -> pl.Series:
    return references.cast(pl.String)


def conformed(path: Path, contract: Contract) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the good rows and the rejects of a file."""
    conformer = Conformer(contract, no_pseudonym)
    blocks = [conformer.conform(block) for block in open_extract(path, contract).blocks()]
    return pl.concat([block.rows for block in blocks]), pl.concat([block.rejects for block in blocks])


def read(council: Path, table: str, day: date = END) -> pd.DataFrame:
    """Read an extract without any of our code: text, blanks as blanks, a trailer left out."""
    rows = pd.read_csv(council / f"{table}_{day}.csv", dtype=str, keep_default_na=False)
    kept = rows[rows.iloc[:, 0] != "TRAILER"]
    assert len(kept)
    return kept


def money(text: pd.Series) -> pd.Series:
    """Give amounts as whole pence."""
    return (text.map(Decimal) * 100).astype("int64")


def day(text: pd.Series) -> pd.Series:
    return pd.to_datetime(text, format="%d/%m/%Y", errors="raise")


def refs(text: str) -> set[str]:
    return set(re.findall(r"`([a-z]+\.[a-z_]+)`", text))


# Declared in one place and found in every other.


def test_the_page_of_sources_names_every_contract_and_no_other() -> None:
    named = refs(SOURCES_PAGE.read_text(encoding="utf-8"))
    assert named == set(CONTRACTS)


def test_every_system_on_the_page_ends_in_a_contract_or_a_reason() -> None:
    lines = [line for line in SOURCES_PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    systems = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| System")
    ]
    assert len(systems) == 38
    for system, takes, contracts in systems:
        assert system and takes
        assert refs(contracts) or contracts.startswith("None:"), system


def test_every_contract_has_a_staging_model_that_is_described() -> None:
    for contract in CONTRACTS.values():
        folder = PROJECT / "dbt_project" / "models" / "staging" / contract.source
        model = f"stg_{contract.source}__{contract.table}"
        sql = (folder / f"{model}.sql").read_text(encoding="utf-8")
        assert f"source('{contract.source}', '{contract.table}')" in sql
        assert f"- name: {model}\n" in (folder / f"_{contract.source}__models.yml").read_text(encoding="utf-8")
        for column in contract.columns:
            assert column.description


def test_staging_gives_no_free_text_about_people() -> None:
    for name in ("ledger.lines", "programme.highlight_reports"):
        contract = CONTRACTS[name]
        folder = PROJECT / "dbt_project" / "models" / "staging" / contract.source
        sql = (folder / f"stg_{contract.source}__{contract.table}.sql").read_text(encoding="utf-8")
        hidden = [column.name for column in contract.columns if column.classification == "personal"]
        assert hidden
        assert not [name for name in hidden if re.search(rf"^    {name},?$", sql, re.MULTILINE)]


# Files fit their contracts.


@pytest.mark.parametrize("file", EXAMPLE_FILES, ids=str)
def test_an_example_file_is_expected_and_has_no_bad_row(file: Path) -> None:
    ((contract, recognised),) = recognise(CONTRACTS.values(), file)
    assert recognised.council == "county"
    rows, rejects = conformed(EXAMPLES / file, contract)
    assert rejects.is_empty()
    assert rows.height == len(pd.read_csv(EXAMPLES / file))


@pytest.mark.parametrize("name", BACK_OFFICE)
def test_an_invented_file_has_no_bad_row(landing: Path, name: str) -> None:
    contract = CONTRACTS[name]
    path = landing / contract.path.format(council="exampleshire", date=END)
    rows, rejects = conformed(path, contract)
    assert rejects.is_empty()
    key = [column.name for column in contract.key]
    assert rows.height == rows.select(key).unique().height > 0


def test_every_contract_of_these_sources_is_invented() -> None:
    ours = {name for name in CONTRACTS if not name.startswith("mosaic.")}
    assert set(BACK_OFFICE) == ours


def test_the_same_seed_gives_the_same_bytes_in_files_and_workbooks(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        assert write_extracts(tmp_path / folder, "exampleshire", 60, START, END, 3, workbooks=True)
    written = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert {path.suffix for path in written} == {".csv", ".xlsx"}
    for path in written:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes(), path


def test_a_workbook_holds_the_rows_of_the_files(tmp_path: Path) -> None:
    for folder, workbooks in (("files", False), ("workbooks", True)):
        write_extracts(tmp_path / folder, "exampleshire", 200, START, END, 5, workbooks=workbooks)
    tables = [contract for contract in CONTRACTS.values() if len(contract.servers) > 1]
    assert len(tables) == 13
    for contract in tables:
        landing, workbook = (server.path.format(council="exampleshire", date=END) for server in contract.servers)
        from_file, _ = conformed(tmp_path / "files" / landing, contract)
        from_sheet, rejects = conformed(tmp_path / "workbooks" / workbook, contract)
        assert rejects.is_empty(), contract.name
        assert from_sheet.drop("source_line").equals(from_file.drop("source_line")), contract.name


def test_a_later_night_repeats_what_was_paid_and_adds_to_it(landing: Path, tmp_path: Path) -> None:
    earlier = date(2018, 8, 17)
    write_extracts(tmp_path, "exampleshire", 800, START, earlier, 11)
    for table in ("finance/provider_payments", "ledger/lines", "ledger/journals"):
        before = set(read(tmp_path / "exampleshire", table, earlier).itertuples(index=False, name=None))
        after = set(read(landing / "exampleshire", table).itertuples(index=False, name=None))
        assert before < after, table


# Money follows packages, and the ledger follows both.


@pytest.fixture(scope="module")
def payments(council: Path) -> pd.DataFrame:
    paid = read(council, "finance/provider_payments").assign(
        planned=lambda rows: money(rows["PLANNED"]), actual=lambda rows: money(rows["ACTUAL"])
    )
    return paid.assign(month=paid["PAYMENT_ID"].str[2:9])


def months() -> Iterator[tuple[str, pd.Timestamp, pd.Timestamp]]:
    for month in pd.period_range(START, END, freq="M"):
        year = month.year if month.month >= 4 else month.year - 1
        label = f"{year % 100:02d}{(year + 1) % 100:02d}-{(month.month - 4) % 12 + 1:02d}"
        yield label, month.start_time.normalize(), month.end_time.normalize()


def test_planned_payments_of_a_month_are_days_by_weekly_cost_over_seven(council: Path, payments: pd.DataFrame) -> None:
    packages = read(council, "mosaic/service_elements")
    packages = packages[(packages["WEEKLY_COST"] != "") & (packages["PROVIDER_ID"] != "")]
    packages = packages.assign(
        weekly=money(packages["WEEKLY_COST"]),
        start=day(packages["START_DATE"]),
        end=day(packages["END_DATE"].replace("", "31/12/2099")),
    )
    key = ["ELEMENT_DETAIL_ID", "SPLIT_NUMBER"]
    compared = 0
    for label, first, last in months():
        part = packages.assign(
            days=(packages["end"].clip(upper=last) - packages["start"].clip(lower=first)).dt.days + 1
        )
        expected = part[part["days"] > 0].set_index(key)
        expected = expected["days"] * expected["weekly"] // 7
        lines = payments[payments["month"] == label].groupby(key)["planned"].sum()
        lines = lines[lines != 0]
        # A price that the extract lacks is paid all the same; nothing can be said about it.
        shared = lines.index.intersection(packages.set_index(key).index)
        assert set(expected.index) == set(shared), label
        assert (lines.loc[shared].sort_index() == expected.loc[shared].sort_index()).all(), label
        compared += len(shared)
    assert compared > 3_000


def test_corrections_and_refunds_are_there_and_name_the_payment_they_are_about(payments: pd.DataFrame) -> None:
    kinds = payments.groupby("PAYMENT_TYPE").size()
    assert set(kinds.index) == {"payment", "correction_credit", "correction_charge", "refund"}
    later = payments[payments["PAYMENT_TYPE"] != "payment"]
    assert set(later["CORRECTS_PAYMENT_ID"]) <= set(payments.loc[payments["PAYMENT_TYPE"] == "payment", "PAYMENT_ID"])
    assert (payments.loc[payments["PAYMENT_TYPE"].isin(["correction_credit", "refund"]), "actual"] < 0).all()
    assert (day(payments["PAID_ON"]) >= day(payments["PERIOD_FROM"])).all()
    assert (payments["planned"] != payments["actual"]).any()
    # Somebody's package was typed in late, and was paid for all the same, later.
    arrears = day(payments["PAID_ON"]) - day(payments["PERIOD_TO"])
    assert arrears.max() > pd.Timedelta(days=31)


def test_the_ledger_carries_every_payment_and_charge_to_the_penny(council: Path, payments: pd.DataFrame) -> None:
    lines = read(council, "ledger/lines").assign(pence=lambda rows: money(rows["AMOUNT"]))
    income = read(council, "finance/income").assign(pence=lambda rows: -money(rows["CHARGED"]))
    key = ["JOURNAL_ID", "SUBJECTIVE"]
    paid, charged = payments.groupby(key)["actual"].sum(), income.groupby(key)["pence"].sum()
    booked = lines.groupby(key)["pence"].sum()
    assert len(paid) > 100
    assert len(charged) > 100
    # A line of nothing is not posted.
    paid, charged = paid[paid != 0], charged[charged != 0]
    assert (booked.loc[paid.index] == paid).all()
    assert (booked.loc[charged.index] == charged).all()

    pool = read(council, "registers/equipment_pool_charges").assign(pence=lambda rows: money(rows["AMOUNT"]))
    pool = pool[pool["PARTNER"] == "council"]
    assert lines.loc[lines["JOURNAL_ID"].str.startswith("EQ"), "pence"].sum() == pool["pence"].sum()


def test_journals_are_their_lines_and_reversals_take_accruals_back(council: Path) -> None:
    lines = read(council, "ledger/lines").assign(pence=lambda rows: money(rows["AMOUNT"]))
    journals = read(council, "ledger/journals").set_index("JOURNAL_ID")
    found = lines.groupby("JOURNAL_ID")["pence"].agg(["size", "sum"])
    assert set(found.index) == set(journals.index)
    assert (journals["LINE_COUNT"].astype(int).loc[found.index] == found["size"]).all()
    assert (money(journals["TOTAL"]).loc[found.index] == found["sum"]).all()

    assert set(journals["JOURNAL_TYPE"]) == {
        "payment_run", "income", "manual", "correction", "accrual", "reversal", "closing",
    }  # fmt: skip
    reversals = journals[journals["JOURNAL_TYPE"] == "reversal"]
    assert len(reversals)
    assert (reversals["PERIOD"] == "1").all()
    accruals = journals.loc[reversals["REVERSES_JOURNAL"]]
    assert (accruals["JOURNAL_TYPE"] == "accrual").all()
    assert (accruals["PERIOD"] == "12").all()
    assert (money(accruals["TOTAL"]).to_numpy() == -money(reversals["TOTAL"]).to_numpy()).all()

    closing = journals[journals["JOURNAL_TYPE"] == "closing"]
    assert set(closing["PERIOD"]) == {"13"}
    # Booked to the year that is over, posted after it.
    assert (day(closing["POSTING_DATE"]).dt.month == 4).all()
    assert set(lines["PERIOD"]) == {str(period) for period in range(1, 14)}
    assert set(lines["COST_CENTRE"]) <= set(read(council, "ledger/cost_centres")["COST_CENTRE"])


def test_budgets_repeat_the_whole_year_in_each_version(council: Path) -> None:
    budgets = read(council, "finance/budgets")
    assert budgets["BUDGET"].str.contains(r"^\(\d", regex=True).any()
    assert budgets["BUDGET"].str.contains(",").any()
    key = ["COST_CENTRE", "SUBJECTIVE", "FINANCIAL_YEAR", "VERSION"]
    assert (budgets.groupby(key)["PERIOD"].nunique() == 12).all()
    original, revised = (set(map(tuple, part[key[:3]].to_numpy())) for _, part in budgets.groupby("VERSION"))
    assert revised <= original
    rows, _ = conformed(council / f"finance/budgets_{END}.csv", CONTRACTS["finance.budgets"])
    plain = budgets["BUDGET"].str.replace(r"[,)]", "", regex=True).str.replace("(", "-").map(Decimal).sum()
    assert Decimal(str(rows.select(pl.col("budget_gbp").cast(pl.Decimal(38, 8))).sum().item())) == plain


def test_registers_and_income_tell_the_same_money(council: Path) -> None:
    income = read(council, "finance/income").assign(pence=lambda rows: money(rows["CHARGED"]))
    by_kind = income.groupby("INCOME_KIND")["pence"].sum()
    assert set(by_kind.index) == {code for column in CONTRACTS["finance.income"].columns for code in column.codes}
    taken = read(council, "registers/direct_payment_recoupments")
    assert by_kind["direct_payment_recoupment"] == money(taken["AMOUNT"]).sum()
    accounts = read(council, "registers/direct_payment_accounts")
    assert set(taken["ACCOUNT_ID"]) <= set(accounts["ACCOUNT_ID"])
    breaks = read(council, "registers/carers_breaks")
    assert (breaks["CHARGE"] == "").any()
    assert ((breaks["CHARGE"] == "") == (breaks["FINANCIAL_ASSESSMENT"] == "N")).all()
    charged = income[income["INCOME_KIND"] == "carers_break"]
    assert set(charged["INCOME_ID"]) == set(breaks.loc[breaks["CHARGE"] != "", "BREAK_ID"])
    assert by_kind["carers_break"] == money(breaks.loc[breaks["CHARGE"] != "", "CHARGE"]).sum()
    # No day of a person is charged twice.
    paid = income[income["INCOME_KIND"] == "client_contribution"].assign(
        first=lambda rows: day(rows["PERIOD_FROM"]), last=lambda rows: day(rows["PERIOD_TO"])
    )
    paid = paid.sort_values(["PERSON_ID", "first"])
    before = paid.groupby("PERSON_ID")["last"].shift()
    assert (paid["first"] > before)[before.notna()].all()
    agreements = read(council, "registers/brokerage_agreements")
    fees = income.loc[income["INCOME_KIND"] == "brokerage_fee", "ACCOUNT_ID"]
    assert set(fees) <= set(agreements.loc[agreements["SIGNED_ON"] != "", "AGREEMENT_ID"])


def test_a_flat_is_either_let_or_void(council: Path) -> None:
    voids = read(council, "registers/housing_voids").assign(
        first=lambda rows: day(rows["VOID_FROM"]), last=lambda rows: day(rows["VOID_TO"].replace("", "31/12/2099"))
    )
    units = read(council, "registers/housing_units").set_index("UNIT_ID")
    assert set(voids["UNIT_ID"]) == set(units.index)
    voids = voids.sort_values(["UNIT_ID", "first"])
    before = voids.groupby("UNIT_ID")["last"].shift()
    assert (voids["first"] > before)[before.notna()].all()
    assert (day(units["OPENED_ON"]) == voids.groupby("UNIT_ID")["first"].min().loc[units.index]).all()


# Savings have evidence, and reports add up.


def test_every_claim_has_its_evidence_and_effects(council: Path) -> None:
    claims = read(council, "programme/savings_claims")
    packages = read(council, "mosaic/service_elements").set_index(["ELEMENT_DETAIL_ID", "SPLIT_NUMBER"])
    assert set(claims["EVIDENCE"]) >= {"move", "installation"}
    of_packages = claims[claims["EVIDENCE"] != "installation"]
    evidence = packages.loc[list(zip(of_packages["ELEMENT_DETAIL_ID"], of_packages["SPLIT_NUMBER"], strict=True))]
    assert (evidence["PROJECT"].to_numpy() == of_packages["PROJECT_REF"].to_numpy()).all()
    effective = pd.to_datetime(of_packages["EFFECTIVE_ON"], format="%Y-%m-%d")
    assert (day(evidence["START_DATE"]).to_numpy() == effective.to_numpy()).all()
    before, after = (of_packages[f"WEEKLY_{when}"].map(Decimal).to_numpy() for when in ("BEFORE", "AFTER"))
    assert (before > after).all()
    # A price that is wrong, or lacking, in the extract was claimed at what it really is.
    priced = evidence["WEEKLY_COST"].map(lambda text: Decimal(text) if text else None).to_numpy()
    differences = [found - said for found, said in zip(priced, after, strict=True) if found is not None]
    assert set(differences) <= {Decimal(0), Decimal("12.50")}
    assert differences.count(Decimal(0)) > 20
    assert not of_packages.duplicated(["ELEMENT_DETAIL_ID", "SPLIT_NUMBER"]).any()
    for claim in of_packages.itertuples():
        weekly = int((Decimal(claim.WEEKLY_BEFORE) - Decimal(claim.WEEKLY_AFTER)) * 100)
        year = int(claim.FINANCIAL_YEAR[:4])
        days = (pd.Timestamp(year + 1, 3, 31) - pd.Timestamp(claim.EFFECTIVE_ON)).days + 1
        assert 0 < days <= 366
        assert (int(Decimal(claim.IN_YEAR) * 100), int(Decimal(claim.FULL_YEAR) * 100)) == (
            weekly * days // 7,
            weekly * 52,
        )
    installed = read(council, "registers/assistive_technology_installations").set_index("INSTALLATION_ID")
    others = claims[claims["EVIDENCE"] == "installation"]
    assert (installed.loc[others["INSTALLATION_ID"], "AVOIDED_WEEKLY_COST"] != "").all()


def test_at_risk_is_target_less_forecast_and_programmes_are_their_projects(council: Path) -> None:
    figures = read(council, "programme/project_figures")
    assert set(figures["OPERATION"]) == {"insert"}
    wide = figures[figures["FIGURE_CODE"].isin(["target", "forecast", "at_risk"])].pivot_table(
        index=["REPORT_DATE", "PROJECT_REF", "PERIOD"],
        columns="FIGURE_CODE",
        values="AMOUNT_GBP_K",
        aggfunc=lambda amounts: Decimal(amounts.iloc[0]),
    )
    assert (wide["target"] - wide["forecast"] == wide["at_risk"]).all()
    top = {"L1A": "L1", "L1B": "L1", "L2": "L2"}
    programmes = read(council, "programme/projects").set_index("PROJECT_REF")["PROGRAMME_REF"].map(top)
    for table, column, code in (
        ("savings_targets", "TARGET_GBP_K", "target"),
        ("amounts_at_risk", "AT_RISK_GBP_K", "at_risk"),
    ):
        stated = read(council, f"programme/{table}").set_index(["REPORT_DATE", "PROGRAMME_REF", "FINANCIAL_YEAR"])[
            column
        ]
        ours = wide[code].rename(index=programmes.to_dict(), level="PROJECT_REF").groupby(level=[0, 1, 2]).sum()
        assert (stated.map(Decimal).sort_index().to_numpy() == ours.sort_index().to_numpy()).all(), table


def test_reports_use_the_target_version_in_force(council: Path) -> None:
    versions = read(council, "programme/target_versions")
    approved = versions[versions["DECISION"] == "approved"]
    figures = read(council, "programme/project_figures")
    targets = figures[figures["FIGURE_CODE"] == "target"]
    assert len(set(approved["VERSION_NUMBER"])) > 2
    for report in targets.itertuples():
        known = approved[
            (approved["PROJECT_REF"] == report.PROJECT_REF)
            & (approved["FINANCIAL_YEAR"] == report.PERIOD)
            & (approved["APPROVED_ON"] <= report.REPORT_DATE)
        ]
        latest = known.loc[known["VERSION_NUMBER"].astype(int).idxmax()]
        assert Decimal(latest["TARGET_GBP_K"]) == Decimal(report.AMOUNT_GBP_K)


# The printed register of the county, figure by figure.


def county(table: str, day_: str = "2019-01-07", source: str = "programme") -> pd.DataFrame:
    return pd.read_csv(EXAMPLES / "county" / source / f"{table}_{day_}.csv", dtype=str, keep_default_na=False)


def test_change_requests_and_extensions_come_to_the_printed_net_impact() -> None:
    requests = county("change_requests").set_index("REQUEST_REF")
    profiles = county("change_request_profiles").join(requests["CHANGE_TYPE"], on="REQUEST_REF")
    pack = profiles[~profiles["REQUEST_REF"].isin(["CR1", "CR2"])]
    # A year before the reported range is netted into the first reported year (R25).
    pack = pack.assign(
        year=pack["FINANCIAL_YEAR"].replace("2017/18", "2018/19"), change=pack["CHANGE_GBP_K"].astype(int)
    )
    pack = pack.assign(row=pack["CHANGE_TYPE"].eq("extension"))
    printed = (
        county("reported_totals").query("REPORT_DATE == '2019-01-07'").set_index(["ROW_NAME", "PERIOD"])["AMOUNT_GBP_K"]
    )
    assert len(printed) == 13
    for (is_extension, year), change in pack.groupby(["row", "year"])["change"].sum().items():
        row = "Extensions to previously approved savings" if is_extension else "Change Requests"
        # A nil of the extensions is printed as a blank.
        assert int(printed[row, year] or 0) == change
    for year, change in pack.groupby("year")["change"].sum().items():
        assert int(printed["Total", year]) == change
    assert int(printed["Net increase 2018/19-2021/22", "all"]) == pack["change"].sum() == 2281


def test_printed_totals_of_requests_are_those_of_their_profiles() -> None:
    profiles = county("change_request_profiles").assign(change=lambda rows: rows["CHANGE_GBP_K"].astype(int))
    sums = profiles.groupby("REQUEST_REF")["change"].sum()
    requests = county("change_requests")
    stated = requests[requests["CHANGE_TOTAL_GBP_K"] != ""]
    assert len(stated) == 5
    assert (sums.loc[stated["REQUEST_REF"]].to_numpy() == stated["CHANGE_TOTAL_GBP_K"].astype(int).to_numpy()).all()
    assert county("alternative_savings")["AMOUNT_GBP_K"].astype(int).sum() == 589
    assert set(requests.loc[requests["DECISION"] == "requested", "REQUEST_REF"]) == {"CR3", "CR4", "CR5"}


def test_a_paper_of_2018_in_millions_gives_the_same_pounds() -> None:
    file = Path("county/programme/change_request_profiles_2018-04-16.csv")
    ((contract, _),) = recognise(CONTRACTS.values(), file)
    assert contract.extracts_until == date(2019, 1, 1)
    then, _ = conformed(EXAMPLES / file, contract)
    file = Path("county/programme/change_request_profiles_2019-01-07.csv")
    ((contract, _),) = recognise(CONTRACTS.values(), file)
    assert contract.extracts_until is None
    now, _ = conformed(EXAMPLES / file, contract)
    key = ["request_ref", "financial_year"]
    both = then.join(now, on=key, how="inner", suffix="_now")
    assert both.height == then.height == 5
    change, change_now = (both[name].cast(pl.Decimal(38, 2)) for name in ("change_gbp", "change_gbp_now"))
    assert (change == change_now).all()
    assert change.cast(pl.Float64).min() == -2_464_000


def test_targeted_reviews_has_three_versions_of_which_one_is_only_requested() -> None:
    versions = county("target_versions")
    reviews = versions[versions["PROJECT_REF"] == "N13"]
    profile = reviews.groupby("VERSION_NUMBER")["TARGET_GBP_K"].agg(lambda targets: [int(each) for each in targets])
    assert profile.to_dict() == {"1": [3010, 2000, 1000], "2": [2010, 2000, 2000], "3": [2010, 4000, 0]}
    october = reviews[(reviews["APPROVED_ON"] != "") & (reviews["APPROVED_ON"] <= "2018-10-31")]
    assert october["VERSION_NUMBER"].max() == "2"
    assert set(reviews.loc[reviews["DECISION"] == "requested", "APPROVED_ON"]) == {""}


def test_each_paper_adds_its_own_figures_and_statuses() -> None:
    figures = pd.concat([county("project_figures", each) for each in ("2018-04-16", "2018-10-31", "2019-01-07")])
    assert len(figures) == 81
    key = ["REPORT_DATE", "PROJECT_REF", "AS_OF_DATE", "PERIOD", "FIGURE", "EFFECT", "SAVINGS_KIND"]
    assert not figures.duplicated(key).any()
    # Two papers disagree, and both are kept.
    over = figures[(figures["PROJECT_REF"] == "N13") & (figures["FIGURE"] == "over-achievement to date")]
    assert sorted(over["AMOUNT_GBP_K"]) == ["1538", "1552"]
    statuses = pd.concat([county("highlight_reports", each) for each in ("2017-07-31", "2018-10-31", "2019-01-07")])
    assert len(statuses) == 36
    assert ((statuses["STATUS_THIS_MONTH"] == "") == (statuses["STATUS_BASIS"] == "not_stated")).all()
    assert set(figures["PROJECT_REF"]) | set(statuses["PROJECT_REF"]) <= set(county("projects")["PROJECT_REF"])


def test_shared_lives_costs_give_the_printed_cost_avoided() -> None:
    costs = county("accommodation_costs", source="measures").set_index("ACCOMMODATION_TYPE")["AVERAGE_WEEKLY_COST"]
    avoided = (costs.astype(int) - int(costs["Shared Lives"])) * 52 * 4
    assert sorted(avoided) == [0, 59_696, 208_208]


def test_words_and_dashes_of_measures_survive_beside_their_numbers() -> None:
    contract = CONTRACTS["measures.returns"]
    rows, rejects = conformed(EXAMPLES / "county/measures/returns_2019-01-07.csv", contract)
    assert (rows.height, rejects.height) == (24, 0)
    targets = dict(zip(rows["target_text"], rows["target_value"], strict=True))
    assert {word for word, value in targets.items() if value is None} == {"-", "Reduce", "Increase", None}
    zero = rows.filter(pl.col("latest_text") == "0")
    assert zero["latest_value"].cast(pl.Float64).to_list() == [0.0]
    assert set(rows["good_is_text"]) == {"High", "Low", "-", "Maintain at same level"}


def test_activity_words_and_their_numbers_agree() -> None:
    activity = county("activity_targets")
    assert len(activity) == 19
    row = activity[activity["TARGET"] == "354 (206 year to date)"].iloc[0]
    assert (row["TARGET_VALUE"], row["TARGET_TO_DATE_VALUE"]) == ("354", "206")
    assert 354 * 7 // 12 == 206
    row = activity[activity["FORECAST"] == "33-34"].iloc[0]
    assert (row["FORECAST_LOW_VALUE"], row["FORECAST_HIGH_VALUE"]) == ("33", "34")


# Through the front door.


def test_papers_and_workbooks_come_into_one_history(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.land_all_examples()
    write_extracts(tmp_path, "exampleshire", 60, START, END, 3, workbooks=True)
    for workbook in (tmp_path / "exampleshire" / "programme").glob("*.xlsx"):
        warehouse.land(workbook.relative_to(tmp_path).as_posix(), workbook.read_bytes())
    outcome = ingest(warehouse.settings, business_date=date(2019, 1, 7))
    assert (outcome.refused, outcome.waiting) == (0, 0)
    assert warehouse.rows("select sum(rows_rejected) from audit.batch") == [(0,)]
    # In £m in the paper of 2018 and in £000 in that of 2019, a change is the same row.
    profiles = "select {} from audit.batch where table_name = 'change_request_profiles' and council_code = 'county'"
    assert warehouse.rows(profiles.format("extract_date, rows_in, rows_new, rows_changed") + " order by 1") == [
        (date(2018, 4, 16), 5, 5, 0),
        (date(2019, 1, 7), 23, 18, 0),
    ]
    change = "select sum(change_gbp) from history.programme__change_request_profiles where request_ref = 'CR1'"
    assert warehouse.rows(f"{change} and council_code = 'county' and change_gbp < 0") == [(-2_464_000,)]
    # Each paper added its statuses, and took none away.
    reports = "select count(*), count(known_to) from history.programme__highlight_reports where council_code = 'county'"
    assert warehouse.rows(reports) == [(36, 0)]
    sheets = "select count(distinct table_name) from audit.batch where file_name like '%.xlsx'"
    assert warehouse.rows(sheets) == [(13,)]


# What must not pass.


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("programme.highlight_reports", (",On Target,", ",Going Well,"), "unknown_code"),
        ("programme.project_figures", ("insert,", "replace,"), "unknown_code"),
        ("programme.change_requests", (",slippage,", ",delay,"), "unknown_code"),
        ("programme.target_versions", ("2018/19", "2018-2019"), "wrong_shape"),
        ("measures.returns", (",74.80%,74.80,", ",74.80%,about 75,"), "not_a_number"),
        ("measures.accommodation_costs", (",1380\n", ",-1380\n"), "too_small"),
    ],
)
def test_what_a_contract_does_not_allow_is_rejected(
    tmp_path: Path, name: str, change: tuple[str, str], reason: str
) -> None:
    contract = CONTRACTS[name]
    newest = sorted(EXAMPLES.glob(contract.path.format(council="county", date="*")))[-1]
    if name.endswith(("highlight_reports", "project_figures")):
        newest = newest.with_name(newest.name.replace("2019-01-07", "2018-10-31"))
    text = newest.read_text(encoding="utf-8")
    assert change[0] in text
    bad = tmp_path / newest.name
    bad.write_text(text.replace(*change, 1), encoding="utf-8")
    _, rejects = conformed(bad, contract)
    assert rejects["reason_code"].to_list() == [reason]


@pytest.mark.parametrize("name", ["finance.budgets", "finance.provider_payments", "finance.income", "ledger.journals"])
def test_a_finance_file_cut_short_is_refused(landing: Path, tmp_path: Path, name: str) -> None:
    contract = CONTRACTS[name]
    path = landing / contract.path.format(council="exampleshire", date=END)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    cut = tmp_path / path.name
    cut.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        conformed(cut, contract)
    assert refused.value.reason_code == "control_total_missing"
