select
    council_code,
    measure_id,
    period_type,
    period_end_date,
    breakdown_type,
    breakdown_value,
    was_open,
    was_withheld,
    was_above_zero
from store.open_figures_before()
