with programme_statuses as (
    select
        council_code,
        report_date,
        programme_ref,
        previous_status_code,
        status_code,
        trend_code
    from {{ ref('stg_programme__statuses') }}
),

project_statuses as (
    select
        council_code,
        report_date,
        project_ref,
        report_name,
        previous_status_code,
        status_code,
        status_basis_code,
        status_words,
        trend_code
    from {{ ref('stg_programme__highlight_reports') }}
),

projects as (
    select
        council_code,
        project_ref,
        programme_ref
    from {{ ref('stg_programme__projects') }}
)

select
    council_code,
    report_date,
    programme_ref,
    previous_status_code,
    status_code,
    trend_code,
    null::text as project_ref,
    null::text as report_name,
    'stated' as status_basis_code,
    null::text as status_words,
    concat_ws('|', report_date, 'programme', programme_ref) as project_status_id,
    programme_ref as judged_programme_ref
from programme_statuses

union all

select
    project_statuses.council_code,
    project_statuses.report_date,
    projects.programme_ref,
    project_statuses.previous_status_code,
    project_statuses.status_code,
    project_statuses.trend_code,
    project_statuses.project_ref,
    project_statuses.report_name,
    project_statuses.status_basis_code,
    project_statuses.status_words,
    concat_ws('|', project_statuses.report_date, 'project', project_statuses.project_ref) as project_status_id,
    null as judged_programme_ref
from project_statuses
left join projects
    on
        project_statuses.council_code = projects.council_code
        and project_statuses.project_ref = projects.project_ref
