with profiles as (
    select
        council_code,
        request_ref,
        financial_year,
        expected_gbp,
        revised_gbp,
        change_gbp
    from {{ ref('stg_programme__change_request_profiles') }}
),

requests as (
    select
        council_code,
        request_ref,
        project_ref,
        change_type_code,
        decision_code
    from {{ ref('stg_programme__change_requests') }}
),

papers as (
    select
        council_code,
        request_ref,
        report_date
    from {{ ref('int_programme__change_papers') }}
)

select
    profiles.council_code,
    concat_ws('|', profiles.request_ref, profiles.financial_year) as change_request_year_id,
    profiles.request_ref,
    requests.project_ref,
    requests.change_type_code,
    requests.decision_code,
    papers.report_date,
    profiles.financial_year,
    -- R25: a year before the paper's own counts in the paper's.
    greatest(profiles.financial_year, {{ financial_year('papers.report_date') }}) as reported_financial_year,
    profiles.expected_gbp,
    profiles.revised_gbp,
    profiles.change_gbp
from profiles
inner join requests
    on
        profiles.council_code = requests.council_code
        and profiles.request_ref = requests.request_ref
left join papers
    on
        profiles.council_code = papers.council_code
        and profiles.request_ref = papers.request_ref
