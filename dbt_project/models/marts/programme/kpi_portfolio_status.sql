with programmes as (
    select
        council_code,
        programme_ref,
        programme_name,
        level_code,
        parent_programme_ref,
        report_order
    from {{ ref('stg_programme__programmes') }}
),

statuses as (
    select
        council_code,
        report_date,
        programme_ref,
        previous_status_code,
        status_code,
        trend_code
    from {{ ref('stg_programme__statuses') }}
),

figures as (
    select
        council_code,
        report_date,
        programme_ref,
        figure_code,
        financial_year,
        year_position,
        amount_gbp
    from {{ ref('int_programme__figures') }}
),

printed_lines as (
    select
        council_code,
        report_date,
        programme_ref
    from statuses

    union

    select
        council_code,
        report_date,
        programme_ref
    from figures
),

-- The headings of a report are the same on each of its lines, whether or not a line has a figure under them.
headings as (
    select
        {%- for position in range(1, 6) %}
            max(financial_year) filter (
                where figure_code = 'savings_target' and year_position = {{ position }}
            ) as target_year_{{ position }}_label,
            max(financial_year) filter (
                where figure_code = 'at_risk' and year_position = {{ position }}
            ) as risk_year_{{ position }}_label,
        {%- endfor %}
        council_code,
        report_date
    from figures
    group by
        council_code,
        report_date
),

amounts as (
    select
        council_code,
        report_date,
        programme_ref,
        {%- for position in range(1, 6) %}
            sum(amount_gbp) filter (
                where figure_code = 'savings_target' and year_position = {{ position }}
            ) as target_year_{{ position }}_gbp,
        {%- endfor %}
        sum(amount_gbp) filter (where figure_code = 'savings_target') as target_total_gbp,
        {%- for position in range(1, 6) %}
            sum(amount_gbp) filter (
                where figure_code = 'at_risk' and year_position = {{ position }}
            ) as risk_year_{{ position }}_gbp,
        {%- endfor %}
        sum(amount_gbp) filter (where figure_code = 'at_risk') as risk_total_gbp,
        sum(amount_gbp) filter (where figure_code = 'alternative_delivery') as alternative_delivery_gbp
    from figures
    group by
        council_code,
        report_date,
        programme_ref
),

amounts_with_net as (
    select
        *,
        -- R09. An absent part counts as nothing; with both absent there is no net amount, not a net amount of 0.
        case
            when risk_total_gbp is not null or alternative_delivery_gbp is not null
                then coalesce(risk_total_gbp, 0) - coalesce(alternative_delivery_gbp, 0)
        end as net_at_risk_gbp
    from amounts
)

select
    {{ publication_id() }} as publication_id,
    printed_lines.council_code,
    printed_lines.report_date,
    programmes.report_order,
    printed_lines.programme_ref,
    programmes.programme_name,
    programmes.level_code,
    programmes.parent_programme_ref,
    statuses.previous_status_code,
    statuses.status_code,
    statuses.trend_code,
    {%- for position in range(1, 6) %}
        headings.target_year_{{ position }}_label,
        {{ gbp_k('amounts_with_net.target_year_' ~ position ~ '_gbp') }} as target_year_{{ position }}_gbp_k,
    {%- endfor %}
    {{ gbp_k('amounts_with_net.target_total_gbp') }} as target_total_gbp_k,
    {%- for position in range(1, 6) %}
        headings.risk_year_{{ position }}_label,
        {{ gbp_k('amounts_with_net.risk_year_' ~ position ~ '_gbp') }} as risk_year_{{ position }}_gbp_k,
    {%- endfor %}
    {{ gbp_k('amounts_with_net.risk_total_gbp') }} as risk_total_gbp_k,
    {{ gbp_k('amounts_with_net.alternative_delivery_gbp') }} as alternative_delivery_gbp_k,
    {{ gbp_k('amounts_with_net.net_at_risk_gbp') }} as net_at_risk_gbp_k,
    {{ as_at() }} as as_at_date,
    {{ data_status_code(
        'printed_lines.council_code', ['fct_project_status', 'fct_savings_targets'], 'printed_lines.report_date',
        is_stated='true',
        is_latest='printed_lines.report_date = max(printed_lines.report_date) over (partition by printed_lines.council_code)'
    ) }} as data_status_code
from printed_lines
inner join programmes
    on
        printed_lines.council_code = programmes.council_code
        and printed_lines.programme_ref = programmes.programme_ref
left join statuses
    on
        printed_lines.council_code = statuses.council_code
        and printed_lines.report_date = statuses.report_date
        and printed_lines.programme_ref = statuses.programme_ref
left join amounts_with_net
    on
        printed_lines.council_code = amounts_with_net.council_code
        and printed_lines.report_date = amounts_with_net.report_date
        and printed_lines.programme_ref = amounts_with_net.programme_ref
left join headings
    on
        printed_lines.council_code = headings.council_code
        and printed_lines.report_date = headings.report_date
