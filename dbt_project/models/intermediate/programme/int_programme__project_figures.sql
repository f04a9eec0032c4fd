select
    council_code,
    concat_ws(
        '|', report_date, project_ref, as_of_date, period, figure, effect_code, savings_kind_code
    ) as project_figure_id,
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
    -- R08, R30: positive is at risk, whichever way round the paper says it.
    case figure_code
        when 'at_risk' then amount_gbp
        when 'over_delivery' then -amount_gbp
    end::numeric(16, 2) as at_risk_gbp,
    percent,
    amount_as_printed,
    -- R27. Only the figure's own words say it.
    case
        when figure ~* '\mnet\M' then 'net'
        when figure ~* '\mgross\M' then 'gross'
        else 'not_stated'
    end as gross_or_net_code,
    is_derived,
    note as caveat
from {{ ref('stg_programme__project_figures') }}
