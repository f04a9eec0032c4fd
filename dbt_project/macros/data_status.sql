{# How far a row of figures can still change, as kpi_values says it of single figures: stale_source (the source is overdue,
   and this is the last period that it answers for, or the latest), provisional (the latest period, which late recording
   will still change) or final. What a paper or return states is never provisional.

   `period_end_date` is an expression, as are `council_code`, `is_stated` and `is_latest`; `is_latest` is by default whether
   the period ends with the last whole month of the as-at date, or later. #}
{% macro data_status_code(council_code, source_name, period_end_date, is_stated='false', is_latest=none) -%}
    {%- set freshness = ref('int_freshness__sources') -%}
    {%- set of_source -%}
        from {{ freshness }} as fresh
        where fresh.council_code = {{ council_code }} and fresh.source_name = '{{ source_name }}'
    {%- endset -%}
    {%- set last_month_end = "(date_trunc('month', " ~ as_at() ~ "::timestamp + interval '1 day') - interval '1 day')::date" -%}
    {%- set latest = is_latest or period_end_date ~ ' >= ' ~ last_month_end -%}
    case
        when
            coalesce((select fresh.is_stale {{ of_source }}), not ({{ is_stated }}))
            and (
                ({{ latest }})
                or {{ period_end_date }} > coalesce((select fresh.newest_extract_date {{ of_source }}), '-infinity')
                or {{ month_end('(' ~ period_end_date ~ ') + 1') }} > (select fresh.held_through_date {{ of_source }})
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
