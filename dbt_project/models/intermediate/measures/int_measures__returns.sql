with returns as (
    select
        council_code,
        report_date,
        report_name,
        report_order,
        measure_name,
        owner_department,
        priority,
        commitment,
        period,
        unit,
        note,
        latest_value,
        latest_text,
        target_value,
        target_text,
        good_is_text,
        previous_value,
        previous_text,
        national_value,
        national_text
    from {{ ref('stg_measures__returns') }}
),

names as (
    select
        council_code,
        measure_name,
        measure_id,
        period_type,
        other_breakdown_value
    from {{ ref('return_measures') }}
)

-- A return that prints no period, or one that is not of these forms, is as of its own date.
select
    returns.council_code,
    returns.report_date || '-' || lpad(returns.report_order::text, 3, '0') as return_id,
    returns.report_date,
    returns.report_name,
    returns.report_order,
    returns.measure_name,
    returns.owner_department,
    returns.priority,
    returns.commitment,
    returns.period,
    returns.unit,
    returns.note,
    names.measure_id,
    names.period_type,
    names.other_breakdown_value,
    case
        when returns.period ~ '^[A-Z][a-z]+-[A-Z][a-z]+ \d{4}$'
            then {{ month_end("to_date(split_part(returns.period, '-', 2), 'Month YYYY')") }}
        when returns.period ~ '^at \d{1,2} [A-Z][a-z]+ \d{4}$'
            then to_date(substring(returns.period from 4), 'DD Month YYYY')
        when returns.period ~ '^Quarter [1-4], \d{4}/\d{2}$'
            then (
                make_date(substring(returns.period from '(\d{4})/')::integer, 4, 1)
                + make_interval(months => 3 * substring(returns.period from '^Quarter (\d)')::integer)
                - interval '1 day'
            )::date
        else returns.report_date
    end as period_end_date,
    returns.latest_value,
    returns.latest_text,
    returns.target_value,
    returns.target_text,
    returns.good_is_text,
    returns.previous_value,
    returns.previous_text,
    returns.national_value,
    returns.national_text
from returns
left join names
    on
        returns.council_code = names.council_code
        and returns.measure_name = names.measure_name
