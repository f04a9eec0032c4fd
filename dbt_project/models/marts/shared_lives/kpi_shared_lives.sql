-- Paste-ready: a row for each month of which the register of households is held.

with months as (
    select
        coverage.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        month_ends.period_number
    from {{ ref('int_calendar__coverage') }} as coverage
    inner join {{ ref('int_calendar__month_ends') }} as month_ends
        on month_ends.month_end_date between coverage.held_from_date and coverage.held_through_date
    where coverage.dataset_code = 'shared_lives_households'
),

coverage_of_base as (
    select
        council_code,
        held_from_date
    from {{ ref('int_calendar__coverage') }}
    where dataset_code = 'shared_lives_since_base'
),

coverage_of_services as (
    select
        council_code,
        held_from_date,
        held_through_date
    from {{ ref('int_calendar__coverage') }}
    where dataset_code = 'services'
),

households as (
    select
        council_code,
        main_type_code,
        gives_short_breaks,
        place_count,
        approved_date,
        left_date,
        has_resigned
    from {{ ref('int_shared_lives__households') }}
    where approved_date is not null
),

assessments as (
    select
        council_code,
        applied_date,
        assessment_start_date,
        assessment_end_date
    from {{ ref('int_shared_lives__assessments') }}
),

households_by_month as (
    select
        months.council_code,
        months.month_end_date,
        households.main_type_code,
        households.gives_short_breaks,
        households.place_count,
        coalesce(households.left_date > months.month_end_date, true) as is_in_scheme,
        {{ month_end('households.approved_date') }} = months.month_end_date as is_new,
        {{ month_end('households.left_date') }} = months.month_end_date as has_left,
        {{ month_end('households.left_date') }} = months.month_end_date and households.has_resigned as has_resigned,
        households.approved_date <= date '{{ var("shared_lives_base_date") }}'
        and coalesce(households.left_date > date '{{ var("shared_lives_base_date") }}', true)
            as was_in_scheme_on_base_date
    from months
    inner join households
        on
            months.council_code = households.council_code
            and months.month_end_date >= households.approved_date
),

household_counts as (
    select
        council_code,
        month_end_date,
        count(*) filter (where is_in_scheme)::integer as household_count,
        count(*) filter (where is_in_scheme and main_type_code = 'long_term')::integer as long_term_household_count,
        count(*) filter (where is_in_scheme and main_type_code = 'long_term' and gives_short_breaks)::integer
            as long_term_also_short_breaks_count,
        count(*) filter (where is_in_scheme and main_type_code = 'short_breaks')::integer
            as short_breaks_household_count,
        count(*) filter (where is_in_scheme and main_type_code = 'day_support')::integer
            as day_support_household_count,
        coalesce(sum(place_count) filter (where is_in_scheme), 0)::integer as place_count,
        count(*) filter (where is_new)::integer as new_household_count,
        count(*) filter (where has_left)::integer as left_household_count,
        count(*) filter (where has_resigned)::integer as resigned_household_count,
        count(*) filter (where is_in_scheme and main_type_code = 'long_term')::integer
        - count(*) filter (where was_in_scheme_on_base_date and main_type_code = 'long_term')::integer
            as additional_long_term_household_count
    from households_by_month
    group by
        council_code,
        month_end_date
),

assessment_counts as (
    select
        months.council_code,
        months.month_end_date,
        count(*) filter (
            where coalesce(assessments.assessment_end_date > months.month_end_date, true)
            and coalesce(assessments.assessment_start_date > months.month_end_date, true)
        )::integer as waiting_assessment_count,
        count(*) filter (
            where coalesce(assessments.assessment_end_date > months.month_end_date, true)
            and assessments.assessment_start_date <= months.month_end_date
        )::integer as in_progress_assessment_count,
        count(*) filter (
            where assessments.assessment_end_date <= months.month_end_date
            and assessments.assessment_end_date
            > {{ month_end("months.month_end_date - interval '12 months'") }}
        )::integer as assessments_ended_in_12_months_count,
        -- A month is a twelfth of a year of 365.25 days.
        avg((assessments.assessment_end_date - assessments.assessment_start_date + 1) / 30.4375) filter (
            where assessments.assessment_end_date <= months.month_end_date
            and assessments.assessment_end_date
            > {{ month_end("months.month_end_date - interval '12 months'") }}
        ) as average_assessment_months
    from months
    inner join assessments
        on
            months.council_code = assessments.council_code
            and months.month_end_date >= assessments.applied_date
    group by
        months.council_code,
        months.month_end_date
),

people_counts as (
    select
        council_code,
        month_end_date,
        count(distinct person_id)::integer as people_count,
        count(distinct person_id) filter (where age_band = '65+')::integer as older_people_count,
        count(distinct person_id) filter (
            where age_band <> '65+' and support_reason_code = 'learning_disability'
        )::integer as learning_disability_people_count,
        count(distinct person_id) filter (
            where age_band <> '65+' and support_reason_code = 'mental_health'
        )::integer as mental_health_people_count
    from {{ ref('int_placements__month_ends') }}
    where service_type_code = 'shared_lives'
    group by
        council_code,
        month_end_date
)

select
    {{ publication_id() }} as publication_id,
    months.council_code,
    months.month_end_date as period_end_date,
    months.financial_year,
    months.period_number,
    coalesce(household_counts.household_count, 0) as household_count,
    coalesce(household_counts.long_term_household_count, 0) as long_term_household_count,
    coalesce(household_counts.long_term_also_short_breaks_count, 0) as long_term_also_short_breaks_count,
    coalesce(household_counts.short_breaks_household_count, 0) as short_breaks_household_count,
    coalesce(household_counts.day_support_household_count, 0) as day_support_household_count,
    coalesce(household_counts.place_count, 0) as place_count,
    coalesce(household_counts.new_household_count, 0) as new_household_count,
    coalesce(household_counts.left_household_count, 0) as left_household_count,
    coalesce(household_counts.resigned_household_count, 0) as resigned_household_count,
    case
        when coverage_of_base.held_from_date <= months.month_end_date
            then coalesce(household_counts.additional_long_term_household_count, 0)
    end as additional_long_term_household_count,
    coalesce(assessment_counts.waiting_assessment_count, 0) as waiting_assessment_count,
    coalesce(assessment_counts.in_progress_assessment_count, 0) as in_progress_assessment_count,
    coalesce(assessment_counts.assessments_ended_in_12_months_count, 0) as assessments_ended_in_12_months_count,
    round(assessment_counts.average_assessment_months, 1)::numeric(6, 1) as average_assessment_months,
    case
        when coverage_of_services.council_code is not null then coalesce(people_counts.people_count, 0)
    end as people_count,
    case
        when coverage_of_services.council_code is not null
            then coalesce(people_counts.older_people_count, 0)
    end as older_people_count,
    case
        when coverage_of_services.council_code is not null
            then coalesce(people_counts.learning_disability_people_count, 0)
    end as learning_disability_people_count,
    case
        when coverage_of_services.council_code is not null
            then coalesce(people_counts.mental_health_people_count, 0)
    end as mental_health_people_count,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'months.council_code', ['fct_shared_lives_households'], 'months.month_end_date'
    ) }} as data_status_code
from months
left join household_counts
    on
        months.council_code = household_counts.council_code
        and months.month_end_date = household_counts.month_end_date
left join assessment_counts
    on
        months.council_code = assessment_counts.council_code
        and months.month_end_date = assessment_counts.month_end_date
left join people_counts
    on
        months.council_code = people_counts.council_code
        and months.month_end_date = people_counts.month_end_date
left join coverage_of_base on months.council_code = coverage_of_base.council_code
left join coverage_of_services
    on
        months.council_code = coverage_of_services.council_code
        and months.month_end_date between coverage_of_services.held_from_date and coverage_of_services.held_through_date
        and months.month_end_date <= {{ held_through('months.council_code', ['fct_placements']) }}
