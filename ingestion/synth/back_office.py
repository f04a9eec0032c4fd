"""The extracts that finance, the programme office, the registers and the performance team deliver."""

from collections.abc import Callable, Iterable

import polars as pl

from ingestion.synth import (
    budgets,
    charges,
    direct_payment_accounts,
    equipment,
    housing,
    income,
    ledger,
    measure_returns,
    programme,
    provider_payments,
    purchasing,
    savings,
    shared_lives,
)
from ingestion.synth.lives import Lives

BACK_OFFICE: dict[str, Callable[[Lives, int], pl.DataFrame | Iterable[pl.DataFrame]]] = {
    "ledger.cost_centres": ledger.cost_centre_rows,
    "ledger.journals": ledger.journal_rows,
    "ledger.lines": ledger.ledger_rows,
    "finance.budgets": budgets.budget_rows,
    "finance.provider_payments": provider_payments.payment_rows,
    "finance.income": income.income_rows,
    "programme.programmes": programme.programme_rows,
    "programme.projects": programme.project_rows,
    "programme.savings_targets": savings.target_rows,
    "programme.amounts_at_risk": savings.at_risk_rows,
    "programme.alternative_delivery": savings.alternative_delivery_rows,
    "programme.statuses": savings.status_rows,
    "programme.highlight_reports": savings.highlight_rows,
    "programme.project_figures": savings.figure_rows,
    "programme.target_versions": programme.version_rows,
    "programme.change_requests": programme.change_rows,
    "programme.change_request_profiles": programme.profile_rows,
    "programme.alternative_savings": programme.alternative_rows,
    "programme.reported_totals": savings.total_rows,
    "programme.savings_claims": savings.claim_rows,
    "programme.finance_validations": savings.validation_rows,
    "programme.activity_targets": savings.activity_rows,
    "registers.shared_lives_households": shared_lives.household_rows,
    "registers.shared_lives_carers": shared_lives.carer_rows,
    "registers.housing_units": housing.unit_rows,
    "registers.housing_voids": housing.void_rows,
    "registers.direct_payment_accounts": direct_payment_accounts.account_rows,
    "registers.direct_payment_balances": direct_payment_accounts.balance_rows,
    "registers.direct_payment_recoupments": direct_payment_accounts.recoupment_rows,
    "registers.assistive_technology_installations": equipment.installation_rows,
    "registers.equipment_prescriptions": equipment.loan_rows,
    "registers.equipment_pool_charges": equipment.pool_rows,
    "registers.care_funding_calculations": purchasing.calculation_rows,
    "registers.purchasing_offers": purchasing.offer_rows,
    "registers.carers_breaks": charges.break_rows,
    "registers.brokerage_agreements": charges.agreement_rows,
    "measures.returns": measure_returns.return_rows,
    "measures.national_outcomes": measure_returns.outcome_rows,
    "measures.accommodation_costs": measure_returns.cost_rows,
}
