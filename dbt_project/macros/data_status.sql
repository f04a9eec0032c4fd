{# The last day that figures made from facts may be shown of: none is, once a table beneath one of them is overdue. Facts that
   rest on nothing delivered are held for ever. #}
{% macro held_through(council_code, fact_names) -%}
    coalesce(
        (
            select min(fresh.held_through_date)
            from {{ ref('int_freshness__facts') }} as fresh
            where fresh.council_code = {{ council_code }} and fresh.fact_name in ('{{ fact_names | join("', '") }}')
        ),
        'infinity'
    )
{%- endmacro %}

{# How far a row of figures can still change, as kpi_values says it of single figures: stale_source (a table beneath it is
   overdue, and this is the last period that it answers for, or the latest), provisional (the latest period, which late recording
   will still change) or final. What a paper or return states is never provisional.

   `fact_names` are the facts that the row rests on, `period_end_date` is an expression, as are `council_code`, `is_stated` and `is_latest`; `is_latest` is by default whether
   the period ends with the last whole month of the as-at date, or later. #}
{% macro data_status_code(council_code, fact_names, period_end_date, is_stated='false', is_latest=none) -%}
    {%- set freshness = ref('int_freshness__facts') -%}
    {%- set of_facts -%}
        from {{ freshness }} as fresh
        where fresh.council_code = {{ council_code }} and fresh.fact_name in ('{{ fact_names | join("', '") }}')
    {%- endset -%}
    {%- set last_month_end = "(date_trunc('month', " ~ as_at() ~ "::timestamp + interval '1 day') - interval '1 day')::date" -%}
    {%- set latest = is_latest or period_end_date ~ ' >= ' ~ last_month_end -%}
    case
        when
            coalesce((select bool_or(fresh.is_stale) {{ of_facts }}), not ({{ is_stated }}))
            and (
                ({{ latest }})
                or {{ period_end_date }} > coalesce((select min(fresh.newest_extract_date) {{ of_facts }}), '-infinity')
                or {{ month_end('(' ~ period_end_date ~ ') + 1') }} > (select min(fresh.held_through_date) {{ of_facts }})
            )
            then 'stale_source'
        when ({{ latest }}) and not ({{ is_stated }}) then 'provisional'
        else 'final'
    end
{%- endmacro %}

{# The last day of a period of a financial year; closing periods end with it. #}
{% macro period_end(financial_year, period_number='12') -%}
    (
        make_date(left({{ financial_year }}, 4)::integer, 4, 1)
        + least({{ period_number }}, 12) * interval '1 month' - interval '1 day'
    )::date
{%- endmacro %}
