with figures as (
    select * from {{ ref('int_open__figures') }}
),

withheld as (
    select * from {{ ref('int_open__withheld') }}
),

measures as (
    select
        measure_id,
        measure_name,
        area_code
    from {{ ref('kpi_registry') }}
    where
        valid_from <= {{ as_at() }}
        and (valid_to is null or valid_to > {{ as_at() }})
),

listed as (
    select
        figures.*,
        withheld.withheld_code
    from figures
    left join withheld
        on
            figures.council_code = withheld.council_code
            and figures.measure_id = withheld.measure_id
            and figures.period_type = withheld.period_type
            and figures.period_end_date = withheld.period_end_date
            and figures.breakdown_type = withheld.breakdown_type
            and figures.breakdown_value = withheld.breakdown_value
    where not figures.is_about_people or withheld.council_code is not null
),

-- An average has no numerator here: beside the denominator it would be the exact number of people.
rounded as (
    select
        *,
        case
            when not is_about_people then numerator
            when withheld_code is null and formula_code <> 'average' then round(numerator / round_to) * round_to
        end as open_numerator,
        case
            when not is_about_people then denominator
            when withheld_code is null then round(denominator / round_to) * round_to
        end as open_denominator,
        case
            when not is_about_people then base_numerator
            when withheld_code is null then round(base_numerator / round_to) * round_to
        end as open_base_numerator
    from listed
),

valued as (
    select
        *,
        case
            when not is_about_people then exact_value
            when withheld_code is not null then null
            when how_obtained_code = 'reported' then round(exact_value / round_to) * round_to
            when formula_code = 'percent' then round(100 * open_numerator / nullif(open_denominator, 0), 1)
            when formula_code = 'average' then round(exact_value)
            when formula_code in ('above_base_year', 'above_base_year_cumulative')
                then open_numerator - open_base_numerator
            when formula_code = 'below_base_year' then open_base_numerator - open_numerator
            else round(exact_value / round_to) * round_to
        end as open_value,
        case when not is_about_people then value_text end as open_text
    from rounded
),

explained as (
    select
        *,
        coalesce(
            withheld_code, case when open_value is null and open_text is null then 'not_available' end
        ) as open_withheld_code
    from valued
)

select
    {{ publication_id() }} as publication_id,
    explained.council_code,
    explained.measure_id,
    measures.measure_name,
    measures.area_code,
    explained.period_type,
    explained.period_start_date,
    explained.period_end_date,
    explained.financial_year,
    {{ as_at() }} as as_at_date,
    explained.breakdown_type,
    explained.breakdown_value,
    explained.how_obtained_code,
    explained.unit_code,
    explained.open_numerator::numeric(18, 2) as numerator,
    explained.open_denominator::numeric(18, 2) as denominator,
    explained.open_base_numerator::numeric(18, 2) as base_numerator,
    explained.open_value::numeric(18, 2) as value,
    explained.open_text as value_text,
    explained.open_withheld_code as withheld_code,
    case explained.open_withheld_code
        when 'small_numbers' then 'Withheld: small, or it would tell a small number'
        when 'no_counts' then 'Withheld: how many people it is about is not known'
        when 'not_available' then 'There is no figure'
    end as withheld_label,
    case when explained.is_about_people then explained.suppress_below end as suppressed_below,
    case when explained.is_about_people then explained.round_to end as rounded_to
from explained
inner join measures on explained.measure_id = measures.measure_id
