-- Reablement by month. K007: completions of the year to date, and how many more they are than in the same periods of
-- the base year. What other measures say stands beside it as they publish it.

with month_ends as (
    select
        council_code,
        month_end_date,
        year_start_date,
        financial_year,
        period_number,
        held_from_date
    from {{ ref('int_calendar__measure_periods') }}
    where
        measure_id = 'K007'
        and period_type = 'year_to_date'
),

completions as (
    select
        council_code,
        {{ financial_year('end_date') }} as financial_year,
        {{ financial_period('end_date') }} as period_number,
        {{ month_end('end_date') }} as completed_month_end_date,
        count(*) as completion_count
    from {{ ref('int_reablement__episodes') }}
    where is_completed
    group by
        council_code,
        {{ financial_year('end_date') }},
        {{ financial_period('end_date') }},
        {{ month_end('end_date') }}
),

completions_by_month_end as (
    select
        month_ends.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        month_ends.period_number,
        month_ends.held_from_date,
        sum(completions.completion_count) filter (
            where completions.completed_month_end_date = month_ends.month_end_date
        ) as completion_count,
        sum(completions.completion_count) filter (
            where completions.financial_year = month_ends.financial_year
        ) as completion_to_date_count,
        sum(completions.completion_count) filter (
            where completions.financial_year = '{{ var("reablement_base_year") }}'
        ) as base_year_completion_to_date_count
    from month_ends
    left join completions
        on
            month_ends.council_code = completions.council_code
            and month_ends.period_number >= completions.period_number
    group by
        month_ends.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        month_ends.period_number,
        month_ends.held_from_date
),

-- A base year that the extracts do not hold is unknown, not a year without completions.
completions_with_base as (
    select
        council_code,
        month_end_date,
        financial_year,
        period_number,
        coalesce(completion_count, 0) as completion_count,
        coalesce(completion_to_date_count, 0) as completion_to_date_count,
        case
            when held_from_date <= make_date({{ var('reablement_base_year')[:4] }}, 4, 1)
                then coalesce(base_year_completion_to_date_count, 0)
        end as base_year_completion_to_date_count
    from completions_by_month_end
),

ended_episodes as (
    select
        council_code,
        episode_id,
        {{ month_end('end_date') }} as month_end_date,
        is_completed
    from {{ ref('int_reablement__episodes') }}
    where end_date is not null
),

sequels as (
    select
        council_code,
        episode_id,
        sequel_code
    from {{ ref('int_reablement__sequels') }}
),

endings_by_month_end as (
    select
        ended_episodes.council_code,
        ended_episodes.month_end_date,
        count(*) as ended_count,
        count(*) filter (where ended_episodes.is_completed and sequels.sequel_code is null) as sequel_unknown_count,
        count(*) filter (where ended_episodes.is_completed and sequels.sequel_code = 'no_further_support')
            as no_further_support_count,
        count(*) filter (where ended_episodes.is_completed and sequels.sequel_code = 'lower') as lower_count,
        count(*) filter (where ended_episodes.is_completed and sequels.sequel_code = 'same') as same_count,
        count(*) filter (where ended_episodes.is_completed and sequels.sequel_code = 'higher') as higher_count,
        count(*) filter (where ended_episodes.is_completed and sequels.sequel_code = 'not_priced') as not_priced_count,
        count(*) filter (where ended_episodes.is_completed and sequels.sequel_code = 'care_home') as care_home_count,
        count(*) filter (where ended_episodes.is_completed and sequels.sequel_code = 'hospital') as hospital_count,
        count(*) filter (where ended_episodes.is_completed and sequels.sequel_code = 'died') as died_count
    from ended_episodes
    left join sequels
        on
            ended_episodes.council_code = sequels.council_code
            and ended_episodes.episode_id = sequels.episode_id
    group by
        ended_episodes.council_code,
        ended_episodes.month_end_date
),

kpi_figures as (
    select
        council_code,
        measure_id,
        period_type,
        period_end_date,
        numerator,
        denominator,
        base_numerator,
        value
    from {{ ref('int_kpi__values') }}
    where
        breakdown_type = 'council'
        and measure_id in ('K008', 'K009', 'K010', 'K011', 'K012', 'K013', 'K066')
),

figures_by_month_end as (
    select
        council_code,
        period_end_date,
        max(value) filter (where measure_id = 'K009' and period_type = 'month') as average_length_days,
        max(denominator) filter (where measure_id = 'K012' and period_type = 'month') as independence_known_count,
        max(numerator) filter (where measure_id = 'K012' and period_type = 'month') as independent_count,
        max(value) filter (where measure_id = 'K012' and period_type = 'month') as independent_percent,
        max(denominator) filter (where measure_id = 'K010' and period_type = 'month') as at_home_known_count,
        max(numerator) filter (where measure_id = 'K010' and period_type = 'month') as at_home_count,
        max(value) filter (where measure_id = 'K010' and period_type = 'month') as at_home_percent,
        max(value) filter (where measure_id = 'K011' and period_type = 'year_to_date')
            as short_term_people_to_date_count,
        max(value) filter (where measure_id = 'K013' and period_type = 'year_to_date')
            as rapid_response_people_to_date_count,
        max(denominator) filter (where measure_id = 'K066' and period_type = 'month') as planned_hours,
        max(numerator) filter (where measure_id = 'K066' and period_type = 'month') as contact_hours,
        max(value) filter (where measure_id = 'K066' and period_type = 'month') as contact_percent,
        max(value) filter (where measure_id = 'K008' and period_type = 'year_to_date')
            as additional_since_base_year_count
    from kpi_figures
    group by
        council_code,
        period_end_date
)

select
    {{ publication_id() }} as publication_id,
    completions_with_base.council_code,
    completions_with_base.month_end_date as period_end_date,
    completions_with_base.financial_year,
    completions_with_base.period_number,
    completions_with_base.completion_count::bigint as completion_count,
    completions_with_base.completion_to_date_count::bigint as completion_to_date_count,
    '{{ var("reablement_base_year") }}' as base_financial_year,
    completions_with_base.base_year_completion_to_date_count::bigint as base_year_completion_to_date_count,
    (completions_with_base.completion_to_date_count - completions_with_base.base_year_completion_to_date_count)::bigint
        as additional_completion_count,
    figures_by_month_end.additional_since_base_year_count::bigint as additional_since_base_year_count,
    coalesce(endings_by_month_end.ended_count, 0)::bigint as ended_count,
    figures_by_month_end.average_length_days::numeric(18, 2) as average_length_days,
    coalesce(endings_by_month_end.no_further_support_count, 0)::bigint as sequel_no_further_support_count,
    coalesce(endings_by_month_end.lower_count, 0)::bigint as sequel_lower_count,
    coalesce(endings_by_month_end.same_count, 0)::bigint as sequel_same_count,
    coalesce(endings_by_month_end.higher_count, 0)::bigint as sequel_higher_count,
    coalesce(endings_by_month_end.not_priced_count, 0)::bigint as sequel_not_priced_count,
    coalesce(endings_by_month_end.care_home_count, 0)::bigint as sequel_care_home_count,
    coalesce(endings_by_month_end.hospital_count, 0)::bigint as sequel_hospital_count,
    coalesce(endings_by_month_end.died_count, 0)::bigint as sequel_died_count,
    coalesce(endings_by_month_end.sequel_unknown_count, 0)::bigint as sequel_unknown_count,
    figures_by_month_end.independence_known_count::bigint as independence_known_count,
    figures_by_month_end.independent_count::bigint as independent_count,
    figures_by_month_end.independent_percent::numeric(18, 2) as independent_percent,
    figures_by_month_end.at_home_known_count::bigint as at_home_known_count,
    figures_by_month_end.at_home_count::bigint as at_home_count,
    figures_by_month_end.at_home_percent::numeric(18, 2) as at_home_percent,
    figures_by_month_end.short_term_people_to_date_count::bigint as short_term_people_to_date_count,
    figures_by_month_end.rapid_response_people_to_date_count::bigint as rapid_response_people_to_date_count,
    figures_by_month_end.planned_hours::numeric(18, 2) as planned_hours,
    figures_by_month_end.contact_hours::numeric(18, 2) as contact_hours,
    figures_by_month_end.contact_percent::numeric(18, 2) as contact_percent,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'completions_with_base.council_code', ['fct_reablement_episodes'], 'completions_with_base.month_end_date'
    ) }} as data_status_code
from completions_with_base
left join endings_by_month_end
    on
        completions_with_base.council_code = endings_by_month_end.council_code
        and completions_with_base.month_end_date = endings_by_month_end.month_end_date
left join figures_by_month_end
    on
        completions_with_base.council_code = figures_by_month_end.council_code
        and completions_with_base.month_end_date = figures_by_month_end.period_end_date
