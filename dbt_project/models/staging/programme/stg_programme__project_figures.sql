select
    council_code,
    report_date,
    project_ref,
    as_of_date,
    as_of_precision_code,
    period,
    figure,
    effect_code,
    savings_kind_code,
    figure_code,
    amount_gbp,
    percent,
    amount_as_printed,
    is_derived,
    note
from {{ known_at(source('programme', 'project_figures')) }}
