-- The paper in which a request is reported: the first of its council dated on or after the day it was made, or decided
-- where that day is not recorded. A council whose papers are not listed reports at each month end. A paper of after the
-- as-at date is not out yet.

with requests as (
    select
        council_code,
        request_ref,
        coalesce(requested_date, decided_date) as request_date
    from {{ ref('stg_programme__change_requests') }}
),

papers as (
    select
        council_code,
        report_date
    from {{ ref('change_papers') }}
),

first_papers as (
    select
        requests.council_code,
        requests.request_ref,
        min(papers.report_date) as report_date
    from requests
    inner join papers
        on
            requests.council_code = papers.council_code
            and requests.request_date <= papers.report_date
    group by
        requests.council_code,
        requests.request_ref
),

request_papers as (
    select
        council_code,
        request_ref,
        report_date
    from first_papers

    union all

    select
        requests.council_code,
        requests.request_ref,
        {{ month_end('requests.request_date') }} as report_date
    from requests
    where
        requests.request_date is not null
        and not exists (
            select 1
            from papers
            where requests.council_code = papers.council_code
        )
)

select
    council_code,
    request_ref,
    report_date
from request_papers
where report_date <= {{ as_at() }}
