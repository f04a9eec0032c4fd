-- The figures that may be open, with the counts of people behind each. Of a measure about people that is one kind of
-- period, and of its parts, of sums and of averages only periods that do not overlap: what is never shown beside one
-- another cannot be subtracted.

with registered as (
    select
        measure_id,
        formula_code,
        unit_code,
        string_to_array(period_types, ' ') as period_types
    from {{ ref('int_kpi__measures') }}
),

exceptions as (
    select
        measure_id,
        is_about_people,
        is_amount,
        open_period_type
    from {{ ref('disclosure_measures') }}
),

measures as (
    select
        registered.measure_id,
        registered.formula_code,
        registered.unit_code,
        coalesce(exceptions.is_about_people, true) as is_about_people,
        coalesce(exceptions.is_amount, registered.unit_code like 'gbp%' or registered.unit_code in ('hours', 'days'))
            as is_amount,
        coalesce(exceptions.open_period_type, headline.period_type) as open_period_type
    from registered
    left join exceptions on registered.measure_id = exceptions.measure_id
    left join lateral (
        select kinds.period_type
        from
            unnest(
                array['month_end', 'year_to_date', 'rolling_12_months', 'financial_year', 'quarter', 'month']
            ) with ordinality as kinds (period_type, place)
        where kinds.period_type = any(registered.period_types)
        order by kinds.place
        limit 1
    ) as headline on true
),

rules as (
    select
        council_code,
        suppress_below,
        round_to,
        is_zero_shown
    from {{ ref('disclosure_rules') }}
),

common_rule as (
    select * from rules
    where council_code = 'all'
),

figures as (
    select
        council_code,
        measure_id,
        period_type,
        period_start_date,
        period_end_date,
        financial_year,
        period_number,
        breakdown_type,
        breakdown_value,
        how_obtained_code,
        numerator,
        denominator,
        base_numerator,
        value as exact_value,
        value_text
    from {{ ref('int_kpi__figures') }}
),

calculated as (
    select
        council_code,
        measure_id,
        period_type,
        period_end_date,
        breakdown_type,
        breakdown_value,
        contribution_count
    from {{ ref('int_kpi__values') }}
),

described as (
    select
        figures.*,
        calculated.contribution_count,
        measures.formula_code,
        measures.unit_code,
        measures.is_about_people,
        measures.is_amount,
        measures.open_period_type,
        coalesce(own.suppress_below, common.suppress_below) as suppress_below,
        coalesce(own.round_to, common.round_to) as round_to,
        coalesce(own.is_zero_shown, common.is_zero_shown) as is_zero_shown,
        -- A year to date contains those before it, until the next year begins.
        figures.period_type in ('month', 'month_end', 'quarter', 'financial_year')
        or (figures.period_type = 'year_to_date' and figures.period_number = 12) as stands_alone
    from figures
    inner join measures on figures.measure_id = measures.measure_id
    cross join common_rule as common
    left join rules as own on figures.council_code = own.council_code
    left join calculated
        on
            figures.how_obtained_code = 'calculated'
            and figures.council_code = calculated.council_code
            and figures.measure_id = calculated.measure_id
            and figures.period_type = calculated.period_type
            and figures.period_end_date = calculated.period_end_date
            and figures.breakdown_type = calculated.breakdown_type
            and figures.breakdown_value = calculated.breakdown_value
)

-- What is left of a denominator is a count too: 50 of 52 tells that 2 are not.
select
    council_code,
    measure_id,
    period_type,
    period_start_date,
    period_end_date,
    financial_year,
    breakdown_type,
    breakdown_value,
    how_obtained_code,
    formula_code,
    unit_code,
    is_about_people,
    is_amount,
    numerator,
    denominator,
    base_numerator,
    exact_value,
    value_text,
    suppress_below,
    round_to,
    is_zero_shown,
    case
        when not is_about_people then null
        when how_obtained_code = 'reported'
            then case when not is_amount and unit_code not in ('percent', 'rate', 'status') then abs(exact_value) end
        when is_amount then contribution_count
        else abs(numerator)
    end::numeric as first_count,
    case
        when not is_about_people or how_obtained_code = 'reported' then null
        when is_amount then case when formula_code = 'average' then denominator end
        else coalesce(denominator, base_numerator)
    end::numeric as second_count,
    case
        when is_about_people and how_obtained_code = 'calculated' and not is_amount then denominator - numerator
    end::numeric as third_count
from described
where
    not is_about_people
    or (
        period_type = open_period_type
        and (
            stands_alone
            or (breakdown_type = 'council' and not is_amount and formula_code <> 'above_base_year_cumulative')
        )
        -- The base year is the same in each later year's figures, where other parts may be withheld.
        and (breakdown_type = 'council' or formula_code not like '%base_year%')
    )
