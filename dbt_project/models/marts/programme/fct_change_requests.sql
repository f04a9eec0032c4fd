with requests as (
    select
        council_code,
        request_ref,
        project_ref,
        project_name,
        option_reference,
        department,
        requested_date,
        change_type_code,
        decision_code,
        decided_date,
        decided_by,
        expected_total_gbp,
        revised_total_gbp,
        change_total_gbp,
        alternative_delivery_gbp,
        write_off_gbp,
        total_as_printed
    from {{ ref('stg_programme__change_requests') }}
),

profiles as (
    select
        council_code,
        request_ref,
        sum(change_gbp) as change_gbp
    from {{ ref('stg_programme__change_request_profiles') }}
    group by
        council_code,
        request_ref
),

papers as (
    select
        council_code,
        request_ref,
        report_date
    from {{ ref('int_programme__change_papers') }}
)

select
    {{ publication_id() }} as publication_id,
    requests.council_code,
    requests.request_ref as change_request_id,
    requests.request_ref,
    requests.project_ref,
    requests.project_name,
    requests.option_reference,
    requests.department,
    requests.change_type_code,
    -- R23: these move a saving between years, and their total must stand.
    requests.change_type_code in ('slippage', 'acceleration', 'reprofile') as is_reprofile,
    requests.change_type_code = 'extension' as is_extension,
    requests.requested_date,
    requests.decision_code,
    requests.decided_date,
    requests.decided_by,
    papers.report_date,
    profiles.change_gbp,
    requests.expected_total_gbp as stated_expected_gbp,
    requests.revised_total_gbp as stated_revised_gbp,
    requests.change_total_gbp as stated_change_gbp,
    requests.total_as_printed,
    requests.alternative_delivery_gbp,
    -- R22: lowers the target and is no saving.
    requests.write_off_gbp,
    case
        when requests.change_type_code in ('slippage', 'acceleration', 'reprofile')
            then coalesce(profiles.change_gbp, 0) = 0
    end as is_balanced
from requests
left join profiles
    on
        requests.council_code = profiles.council_code
        and requests.request_ref = profiles.request_ref
left join papers
    on
        requests.council_code = papers.council_code
        and requests.request_ref = papers.request_ref
