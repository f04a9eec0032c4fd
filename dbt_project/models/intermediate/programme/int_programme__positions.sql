-- Where each project stands at each report date, by financial year and kind of saving. Kinds and effects are never
-- added (R13, R14). Of the figures of one class the latest as-of date of the report counts (R33); several of that date
-- are parts and are added up, a total beside its parts left out.

with reported_figures as (
    select
        council_code,
        report_date,
        project_ref,
        as_of_date,
        period as financial_year,
        savings_kind_code,
        amount_gbp,
        figure ~* '\mtotal\M' as is_total,
        case
            when figure_code = 'target' then 'target'
            when figure_code = 'forecast' then 'forecast'
            when figure_code in ('at_risk', 'over_delivery', 'alternative_delivery') then figure_code
            when figure_code = 'achieved' and effect_code = 'full_year_effect' then 'achieved_full_year'
            when figure_code = 'achieved' and effect_code = 'year_to_date' then 'achieved_to_date'
            when figure_code = 'achieved' then 'achieved_in_year'
        end as class_code
    from {{ ref('stg_programme__project_figures') }}
    where
        amount_gbp is not null
        and period ~ '^\d{4}/\d{2}$'
        and savings_kind_code <> 'cost'
        and figure_code in ('target', 'forecast', 'at_risk', 'over_delivery', 'alternative_delivery', 'achieved')
        and effect_code in ('in_year', 'year_end', 'not_stated', 'full_year_effect', 'year_to_date')
        and (effect_code in ('in_year', 'year_end', 'not_stated') or figure_code = 'achieved')
        -- What somebody asks for is no position: the words say so.
        and figure !~* '\m({{ var("words_of_proposals") | join("|") }})\M'
),

ranked_figures as (
    select
        *,
        dense_rank() over (
            partition by council_code, report_date, project_ref, financial_year, savings_kind_code, class_code
            order by as_of_date desc
        ) as age_rank,
        bool_and(is_total) over (
            partition by
                council_code, report_date, project_ref, financial_year, savings_kind_code, class_code, as_of_date
        ) as has_no_parts
    from reported_figures
),

stated_positions as (
    select
        council_code,
        report_date,
        project_ref,
        financial_year,
        savings_kind_code,
        sum(amount_gbp) filter (where class_code = 'target') as target_stated_gbp,
        sum(amount_gbp) filter (where class_code = 'forecast') as forecast_gbp,
        sum(amount_gbp) filter (where class_code = 'achieved_to_date') as achieved_to_date_gbp,
        sum(amount_gbp) filter (where class_code = 'achieved_in_year') as achieved_in_year_gbp,
        sum(amount_gbp) filter (where class_code = 'achieved_full_year') as achieved_full_year_gbp,
        -- R08: an over-delivery is an amount at risk below nothing.
        coalesce(
            sum(amount_gbp) filter (where class_code = 'at_risk'),
            -sum(amount_gbp) filter (where class_code = 'over_delivery')
        ) as at_risk_stated_gbp,
        sum(amount_gbp) filter (where class_code = 'alternative_delivery') as alternative_delivery_gbp
    from ranked_figures
    where
        age_rank = 1
        and (has_no_parts or not is_total)
    group by
        council_code,
        report_date,
        project_ref,
        financial_year,
        savings_kind_code
),

project_reports as (
    select
        council_code,
        report_date,
        project_ref,
        count(distinct savings_kind_code) as kind_count,
        min(savings_kind_code) as one_kind_code
    from stated_positions
    group by
        council_code,
        report_date,
        project_ref
),

targets_at_reports as (
    select
        project_reports.council_code,
        project_reports.report_date,
        project_reports.project_ref,
        targets_in_force.financial_year,
        targets_in_force.version_number,
        targets_in_force.target_gbp,
        -- A target in force is of the whole project: of one kind only where the report knows of one.
        case
            when project_reports.kind_count = 1 then project_reports.one_kind_code
            else 'not_stated'
        end as savings_kind_code
    from project_reports
    inner join {{ ref('int_programme__targets_in_force') }} as targets_in_force
        on
            project_reports.council_code = targets_in_force.council_code
            and project_reports.project_ref = targets_in_force.project_ref
            and project_reports.report_date >= targets_in_force.valid_from
            and (targets_in_force.valid_to is null or project_reports.report_date < targets_in_force.valid_to)
),

positions as (
    select
        coalesce(stated_positions.council_code, targets_at_reports.council_code) as council_code,
        coalesce(stated_positions.report_date, targets_at_reports.report_date) as report_date,
        coalesce(stated_positions.project_ref, targets_at_reports.project_ref) as project_ref,
        coalesce(stated_positions.financial_year, targets_at_reports.financial_year) as financial_year,
        coalesce(stated_positions.savings_kind_code, targets_at_reports.savings_kind_code) as savings_kind_code,
        targets_at_reports.version_number as target_version_number,
        targets_at_reports.target_gbp as target_in_force_gbp,
        stated_positions.target_stated_gbp,
        -- R24: what was approved by the date of the report, where the project has versions.
        coalesce(targets_at_reports.target_gbp, stated_positions.target_stated_gbp) as target_gbp,
        stated_positions.forecast_gbp,
        stated_positions.achieved_to_date_gbp,
        stated_positions.achieved_in_year_gbp,
        stated_positions.achieved_full_year_gbp,
        stated_positions.at_risk_stated_gbp,
        stated_positions.alternative_delivery_gbp
    from stated_positions
    full join targets_at_reports
        on
            stated_positions.council_code = targets_at_reports.council_code
            and stated_positions.report_date = targets_at_reports.report_date
            and stated_positions.project_ref = targets_at_reports.project_ref
            and stated_positions.financial_year = targets_at_reports.financial_year
            and stated_positions.savings_kind_code = targets_at_reports.savings_kind_code
),

positions_at_risk as (
    select
        *,
        target_gbp - forecast_gbp as at_risk_derived_gbp,
        coalesce(at_risk_stated_gbp, target_gbp - forecast_gbp) as at_risk_gbp
    from positions
),

-- Shortfalls of earlier years that later over-delivery has not made up: a queue that over-delivery empties and that is
-- never shorter than nothing, so each balance is the running sum less its lowest point so far.
running_sums as (
    select
        *,
        sum(coalesce(at_risk_gbp, 0)) over one_project as running_gbp,
        sum(greatest(coalesce(at_risk_gbp, 0), 0)) over one_project as shortfall_to_date_gbp
    from positions_at_risk
    window one_project as (
        partition by council_code, report_date, project_ref, savings_kind_code
        order by financial_year
    )
),

balances as (
    select
        *,
        running_gbp - least(
            0,
            min(running_gbp) over (
                partition by council_code, report_date, project_ref, savings_kind_code
                order by financial_year
            )
        ) as balance_gbp
    from running_sums
),

recoveries as (
    select
        *,
        case
            when at_risk_gbp < 0
                then lag(balance_gbp, 1, 0::numeric) over (
                    partition by council_code, report_date, project_ref, savings_kind_code
                    order by financial_year
                ) - balance_gbp
            else 0
        end as recovered_slippage_gbp
    from balances
),

matched as (
    select
        *,
        sum(recovered_slippage_gbp) over (
            partition by council_code, report_date, project_ref, savings_kind_code
        ) as recovered_in_all_gbp
    from recoveries
)

select
    council_code,
    report_date,
    project_ref,
    financial_year,
    savings_kind_code,
    target_version_number,
    target_in_force_gbp::numeric(16, 2) as target_in_force_gbp,
    target_stated_gbp::numeric(16, 2) as target_stated_gbp,
    target_gbp::numeric(16, 2) as target_gbp,
    forecast_gbp::numeric(16, 2) as forecast_gbp,
    achieved_to_date_gbp::numeric(16, 2) as achieved_to_date_gbp,
    achieved_in_year_gbp::numeric(16, 2) as achieved_in_year_gbp,
    achieved_full_year_gbp::numeric(16, 2) as achieved_full_year_gbp,
    at_risk_stated_gbp::numeric(16, 2) as at_risk_stated_gbp,
    at_risk_derived_gbp::numeric(16, 2) as at_risk_derived_gbp,
    at_risk_gbp::numeric(16, 2) as at_risk_gbp,
    alternative_delivery_gbp::numeric(16, 2) as alternative_delivery_gbp,
    -- R09. An absent part counts as nothing; with both absent there is no net amount.
    case
        when num_nonnulls(at_risk_gbp, alternative_delivery_gbp) > 0
            then coalesce(at_risk_gbp, 0) - coalesce(alternative_delivery_gbp, 0)
    end::numeric(16, 2) as net_at_risk_gbp,
    -- R11: over-delivery is new money as far as it does not make up an earlier year's shortfall.
    case when at_risk_gbp is not null then recovered_slippage_gbp end::numeric(16, 2) as recovered_slippage_gbp,
    case
        when at_risk_gbp is not null then greatest(-at_risk_gbp, 0) - recovered_slippage_gbp
    end::numeric(16, 2) as new_money_gbp,
    -- R10: the earliest shortfall is made up first; what no later year makes up may never come.
    case
        when at_risk_gbp is not null
            then least(
                greatest(at_risk_gbp, 0),
                greatest(recovered_in_all_gbp - (shortfall_to_date_gbp - greatest(at_risk_gbp, 0)), 0)
            )
    end::numeric(16, 2) as slippage_gbp,
    case
        when at_risk_gbp is not null
            then greatest(at_risk_gbp, 0) - least(
                greatest(at_risk_gbp, 0),
                greatest(recovered_in_all_gbp - (shortfall_to_date_gbp - greatest(at_risk_gbp, 0)), 0)
            )
    end::numeric(16, 2) as not_recovered_gbp
from matched
