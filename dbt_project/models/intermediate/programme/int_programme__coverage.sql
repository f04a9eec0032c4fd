-- Since when each dataset of the programme office is held: the first day of the month of its earliest row.

with datasets as (
    select
        council_code,
        'savings_targets' as dataset_code,
        min(report_date) as first_date
    from {{ ref('stg_programme__savings_targets') }}
    group by council_code

    union all

    select
        council_code,
        'amounts_at_risk' as dataset_code,
        min(report_date) as first_date
    from {{ ref('stg_programme__amounts_at_risk') }}
    group by council_code

    union all

    select
        council_code,
        'change_requests' as dataset_code,
        min(coalesce(requested_date, decided_date)) as first_date
    from {{ ref('stg_programme__change_requests') }}
    group by council_code

    union all

    select
        targets_in_force.council_code,
        'governed_projects' as dataset_code,
        min(targets_in_force.valid_from) as first_date
    from {{ ref('int_programme__targets_in_force') }} as targets_in_force
    inner join {{ ref('stg_programme__projects') }} as projects
        on
            targets_in_force.council_code = projects.council_code
            and targets_in_force.project_ref = projects.project_ref
    where projects.governance_level_code is not null
    group by targets_in_force.council_code
),

-- A paper of exceptions states what some projects achieved: no total (R06). The figures are held whole from the first
-- day on which every project with a target in force says something.
achievements as (
    select distinct
        council_code,
        project_ref,
        as_of_date
    from {{ ref('stg_programme__project_figures') }}
    where
        figure_code = 'achieved'
        and amount_gbp is not null
        and effect_code in ('in_year', 'year_to_date', 'year_end')
        and period = {{ financial_year('as_of_date') }}
),

achievement_dates as (
    select distinct
        council_code,
        as_of_date
    from achievements
),

complete_dates as (
    select
        achievement_dates.council_code,
        achievement_dates.as_of_date
    from achievement_dates
    inner join {{ ref('int_programme__targets_in_force') }} as targets_in_force
        on
            achievement_dates.council_code = targets_in_force.council_code
            and achievement_dates.as_of_date >= targets_in_force.valid_from
            and (targets_in_force.valid_to is null or achievement_dates.as_of_date < targets_in_force.valid_to)
            and targets_in_force.financial_year = {{ financial_year('achievement_dates.as_of_date') }}
    left join achievements
        on
            achievement_dates.council_code = achievements.council_code
            and achievement_dates.as_of_date = achievements.as_of_date
            and targets_in_force.project_ref = achievements.project_ref
    group by
        achievement_dates.council_code,
        achievement_dates.as_of_date
    having count(*) = count(achievements.project_ref)
),

held_datasets as (
    select
        council_code,
        dataset_code,
        first_date
    from datasets

    union all

    select
        council_code,
        'achieved_savings' as dataset_code,
        min(as_of_date) as first_date
    from complete_dates
    group by council_code
)

select
    council_code,
    dataset_code,
    date_trunc('month', first_date::timestamp)::date as held_from_date
from held_datasets
where first_date is not null
