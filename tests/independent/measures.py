"""All measures that are worked out a second time, and all their figures."""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from functools import partial

from tests.independent import (
    carers,
    coverage,
    direct_payments,
    discharges,
    front_door,
    housing,
    income,
    packages,
    placements,
    programme,
    reablement,
    reviews,
    savings,
)
from tests.independent.care import Council
from tests.independent.counting import Counted, Figure, Which, figures
from tests.independent.definitions import calculated, projects_of, variables

CALCULATIONS: dict[str, Callable[[Council], Iterable[Counted]]] = {
    "K001": reviews.k001,
    "K002": savings.k002,
    "K003": savings.k003,
    "K004": reviews.k004,
    "K005": reviews.k005,
    "K006": reviews.k006,
    "K007": reablement.k007,
    "K008": reablement.k007,
    "K009": reablement.k009,
    "K010": reablement.k010,
    "K011": reablement.k011,
    "K012": reablement.k012,
    "K013": reablement.k013,
    "K014": discharges.k014,
    "K016": placements.k016,
    "K017": placements.k017,
    "K018": placements.k018,
    "K019": placements.k019,
    "K020": placements.k020,
    "K021": savings.k021,
    "K023": housing.k023,
    "K024": housing.k024,
    "K025": housing.k025,
    "K026": housing.k026,
    "K027": housing.k027,
    "K028": housing.k028,
    "K029": housing.k029,
    "K030": placements.k030,
    "K031": direct_payments.k031,
    "K032": direct_payments.k032,
    "K033": savings.k033,
    "K034": front_door.k034,
    "K035": front_door.k035,
    "K036": front_door.k036,
    "K037": front_door.k037,
    "K038": income.k038,
    "K039": income.k039,
    "K040": income.k040,
    "K041": savings.k041,
    "K042": savings.k042,
    "K043": savings.k043,
    "K044": savings.k044,
    "K045": programme.k045,
    "K046": programme.k046,
    "K047": programme.k047,
    "K048": programme.k048,
    "K049": programme.k049,
    "K051": programme.k051,
    "K052": programme.k052,
    "K053": carers.k053,
    "K054": carers.k054,
    "K055": carers.k055,
    "K058": front_door.k058,
    "K062": programme.k062,
    "K063": programme.k063,
    "K064": programme.k064,
    "K066": reablement.k066,
    "K067": reviews.k067,
    "K068": direct_payments.k068,
    "K069": packages.k069,
    "K070": packages.k070,
}
BASE_YEARS = {"K007": "reablement_base_year", "K008": "reablement_base_year", "K034": "assessment_base_year"}


def all_figures(council: Council, measure_ids: Iterable[str] | None = None) -> dict[Which, Figure]:
    """Give every figure that the registry promises for this council."""
    found: dict[Which, Figure] = {}
    for measure_id, measure in calculated().items():
        if measure_ids is not None and measure_id not in measure_ids:
            continue
        base_year = variables()[BASE_YEARS[measure_id]] if measure_id in BASE_YEARS else None
        found |= figures(
            measure,
            council.folder.name,
            council.people,
            CALCULATIONS[measure_id](council),
            partial(coverage.shown, council, base_year=base_year),
            base_year,
            partial(_target, council, measure_id),
        )
    return found


def _target(council: Council, measure_id: str, ending: date) -> Decimal | None:
    return programme.whole_year_target(council, projects_of(measure_id, council.folder.name), ending)
