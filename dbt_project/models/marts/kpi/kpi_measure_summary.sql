-- What returns print stays as printed, words and dashes with it, whatever the warehouse calculates.

with returns as (
    select *
    from {{ ref('int_measures__returns') }}
),

headlines as (
    select distinct on (council_code, measure_id) *
    from {{ ref('kpi_values') }}
    where is_headline
    order by
        council_code asc,
        measure_id asc,
        (how_obtained_code = 'reported' and value is null and value_text is null) asc,
        period_end_date desc
),

newest_returns as (
    select
        council_code,
        max(report_date) as report_date
    from returns
    group by council_code
)

select
    {{ publication_id() }} as publication_id,
    returns.council_code,
    returns.return_id as summary_id,
    'return' as section_code,
    returns.report_date,
    returns.report_name,
    returns.report_order,
    returns.measure_name,
    returns.measure_id,
    returns.owner_department,
    returns.priority,
    returns.commitment,
    returns.period as period_label,
    returns.period_end_date,
    'reported' as how_obtained_code,
    returns.unit as unit_code,
    returns.latest_text,
    returns.latest_value,
    returns.target_text,
    returns.target_value,
    returns.good_is_text,
    returns.previous_text,
    returns.previous_value,
    returns.national_text,
    returns.national_value,
    returns.note,
    returns.report_date = newest_returns.report_date as is_newest,
    {{ as_at() }} as as_at_date,
    'final' as data_status_code
from returns
inner join newest_returns on returns.council_code = newest_returns.council_code

union all

select
    {{ publication_id() }} as publication_id,
    council_code,
    'latest-' || measure_id as summary_id,
    'measure' as section_code,
    as_at_date as report_date,
    'Latest figures' as report_name,
    row_number() over (partition by council_code order by measure_id)::integer as report_order,
    measure_name,
    measure_id,
    null::text as owner_department,
    null::text as priority,
    null::text as commitment,
    period_label,
    period_end_date,
    how_obtained_code,
    unit_code,
    coalesce(value_text, {{ figure_in_words('value', 'unit_code') }}) as latest_text,
    value::numeric(18, 4) as latest_value,
    coalesce(target_text, {{ figure_in_words('target', 'unit_code') }}) as target_text,
    target::numeric(18, 4) as target_value,
    case polarity_code
        when 'high' then 'High'
        when 'low' then 'Low'
        when 'maintain' then 'Maintain at same level'
        else '-'
    end as good_is_text,
    {{ figure_in_words('previous_value', 'unit_code') }} as previous_text,
    previous_value::numeric(18, 4) as previous_value,
    {{ figure_in_words('national_value', 'unit_code') }} as national_text,
    national_value::numeric(18, 4) as national_value,
    null::text as note,
    true as is_newest,
    as_at_date,
    data_status_code
from headlines
