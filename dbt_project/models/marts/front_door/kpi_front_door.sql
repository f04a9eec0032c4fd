-- The front door by month: contacts, what came of them, and the assessments that followed or were avoided.

with month_ends as (
    select
        month_end_date,
        date_trunc('month', month_end_date::timestamp)::date as month_start_date,
        financial_year,
        period_number
    from {{ ref('int_calendar__month_ends') }}
),

coverage as (
    select
        council_code,
        dataset_code,
        held_from_date,
        held_through_date
    from {{ ref('int_calendar__coverage') }}
    where dataset_code in ('contacts', 'assessments')
),

-- A month that the extracts do not hold has no row: it would be low for want of data.
months_held as (
    select
        coverage.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        month_ends.period_number,
        bool_or(coverage.dataset_code = 'contacts') as has_contacts,
        bool_or(coverage.dataset_code = 'assessments') as has_assessments
    from month_ends
    inner join coverage
        on
            month_ends.month_start_date >= coverage.held_from_date
            and month_ends.month_end_date <= coverage.held_through_date
    group by
        coverage.council_code,
        month_ends.month_end_date,
        month_ends.financial_year,
        month_ends.period_number
),

contacts as (
    select
        council_code,
        person_id,
        contact_date,
        outcome_code,
        is_carer
    from {{ ref('int_front_door__contacts') }}
),

contact_counts as (
    select
        council_code,
        {{ month_end('contact_date') }} as month_end_date,
        count(*) as contact_count,
        count(person_id) as named_contact_count,
        count(*) filter (where is_carer) as carer_contact_count,
        count(*) filter (where outcome_code is null) as open_contact_count,
        count(*) filter (where outcome_code = 'resolved') as resolved_contact_count,
        count(*) filter (where outcome_code = 'advice') as advice_contact_count,
        count(*) filter (where outcome_code = 'community_resource') as community_resource_contact_count,
        count(*) filter (where outcome_code = 'assessment') as assessment_contact_count,
        count(*) filter (where outcome_code = 'reablement') as reablement_contact_count,
        count(*) filter (where outcome_code = 'safeguarding') as safeguarding_contact_count,
        count(*) filter (where outcome_code = 'existing_support') as existing_support_contact_count,
        count(*) filter (where outcome_code = 'no_further_action') as no_further_action_contact_count
    from contacts
    group by
        council_code,
        {{ month_end('contact_date') }}
),

assessments as (
    select
        council_code,
        assessment_date
    from {{ ref('int_front_door__assessments') }}
),

assessment_counts as (
    select
        council_code,
        {{ month_end('assessment_date') }} as month_end_date,
        count(*) as assessment_count
    from assessments
    group by
        council_code,
        {{ month_end('assessment_date') }}
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
        and measure_id in ('K034', 'K035', 'K036', 'K037', 'K058')
),

figures_by_month_end as (
    select
        council_code,
        period_end_date,
        max(numerator) filter (where measure_id = 'K035' and period_type = 'month') as resolved_at_first_contact_count,
        max(denominator) filter (where measure_id = 'K035' and period_type = 'month') as decided_contact_count,
        max(value) filter (where measure_id = 'K035' and period_type = 'month') as resolved_at_first_contact_percent,
        max(numerator) filter (where measure_id = 'K036' and period_type = 'month') as resolved_call_count,
        max(denominator) filter (where measure_id = 'K036' and period_type = 'month') as call_count,
        max(value) filter (where measure_id = 'K036' and period_type = 'month') as resolved_call_percent,
        max(numerator) filter (where measure_id = 'K034' and period_type = 'year_to_date') as assessment_to_date_count,
        max(base_numerator) filter (where measure_id = 'K034' and period_type = 'year_to_date')
            as base_year_assessment_to_date_count,
        max(value) filter (where measure_id = 'K034' and period_type = 'year_to_date') as avoided_assessment_count,
        max(value) filter (where measure_id = 'K037' and period_type = 'year_to_date')
            as community_people_to_date_count,
        max(value) filter (where measure_id = 'K058' and period_type = 'year_to_date')
            as advised_self_funder_to_date_count
    from kpi_figures
    group by
        council_code,
        period_end_date
)

select
    {{ publication_id() }} as publication_id,
    months_held.council_code,
    months_held.month_end_date as period_end_date,
    months_held.financial_year,
    months_held.period_number,
    case when months_held.has_contacts then coalesce(contact_counts.contact_count, 0) end::bigint
        as contact_count,
    case when months_held.has_contacts then coalesce(contact_counts.named_contact_count, 0) end::bigint
        as named_contact_count,
    case when months_held.has_contacts then coalesce(contact_counts.carer_contact_count, 0) end::bigint
        as carer_contact_count,
    case when months_held.has_contacts then coalesce(contact_counts.open_contact_count, 0) end::bigint
        as open_contact_count,
    case when months_held.has_contacts then coalesce(contact_counts.resolved_contact_count, 0) end::bigint
        as resolved_contact_count,
    case when months_held.has_contacts then coalesce(contact_counts.advice_contact_count, 0) end::bigint
        as advice_contact_count,
    case when months_held.has_contacts then coalesce(contact_counts.community_resource_contact_count, 0) end::bigint
        as community_resource_contact_count,
    case when months_held.has_contacts then coalesce(contact_counts.assessment_contact_count, 0) end::bigint
        as assessment_contact_count,
    case when months_held.has_contacts then coalesce(contact_counts.reablement_contact_count, 0) end::bigint
        as reablement_contact_count,
    case when months_held.has_contacts then coalesce(contact_counts.safeguarding_contact_count, 0) end::bigint
        as safeguarding_contact_count,
    case when months_held.has_contacts then coalesce(contact_counts.existing_support_contact_count, 0) end::bigint
        as existing_support_contact_count,
    case when months_held.has_contacts then coalesce(contact_counts.no_further_action_contact_count, 0) end::bigint
        as no_further_action_contact_count,
    figures_by_month_end.decided_contact_count::bigint as decided_contact_count,
    figures_by_month_end.resolved_at_first_contact_count::bigint as resolved_at_first_contact_count,
    figures_by_month_end.resolved_at_first_contact_percent::numeric(18, 2) as resolved_at_first_contact_percent,
    figures_by_month_end.call_count::bigint as call_count,
    figures_by_month_end.resolved_call_count::bigint as resolved_call_count,
    figures_by_month_end.resolved_call_percent::numeric(18, 2) as resolved_call_percent,
    figures_by_month_end.community_people_to_date_count::bigint as community_people_to_date_count,
    figures_by_month_end.advised_self_funder_to_date_count::bigint as advised_self_funder_to_date_count,
    case when months_held.has_assessments then coalesce(assessment_counts.assessment_count, 0) end::bigint
        as assessment_count,
    figures_by_month_end.assessment_to_date_count::bigint as assessment_to_date_count,
    '{{ var("assessment_base_year") }}' as base_financial_year,
    figures_by_month_end.base_year_assessment_to_date_count::bigint as base_year_assessment_to_date_count,
    figures_by_month_end.avoided_assessment_count::bigint as avoided_assessment_count,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'months_held.council_code', ['fct_contacts', 'fct_assessments'], 'months_held.month_end_date'
    ) }} as data_status_code
from months_held
left join contact_counts
    on
        months_held.council_code = contact_counts.council_code
        and months_held.month_end_date = contact_counts.month_end_date
left join assessment_counts
    on
        months_held.council_code = assessment_counts.council_code
        and months_held.month_end_date = assessment_counts.month_end_date
left join figures_by_month_end
    on
        months_held.council_code = figures_by_month_end.council_code
        and months_held.month_end_date = figures_by_month_end.period_end_date
