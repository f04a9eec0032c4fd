{# From dated rows of people in a CTE (council_code, person_id, start_date, end_date empty while open), what was in
   force when: where several cover a day the one that began last counts, of those the first by `tie_break`; an earlier
   one is in force again once a later one has ended. The slices never overlap and cover every day that a row covers. #}
{% macro latest_begun(dated_rows, columns, tie_break) -%}
    select distinct on (slices.council_code, slices.person_id, slices.start_date)
        slices.council_code,
        slices.person_id,
        slices.start_date,
        slices.end_date,
        {{ dated_rows }}.{{ columns | join(', ' ~ dated_rows ~ '.') }}
    from (
        select
            council_code,
            person_id,
            change_date as start_date,
            lead(change_date) over (partition by council_code, person_id order by change_date) - 1 as end_date
        from (
            select
                council_code,
                person_id,
                start_date as change_date
            from {{ dated_rows }}

            union

            select
                council_code,
                person_id,
                end_date + 1 as change_date
            from {{ dated_rows }}
            where end_date is not null
        ) as change_days
    ) as slices
    inner join {{ dated_rows }}
        on
            slices.council_code = {{ dated_rows }}.council_code
            and slices.person_id = {{ dated_rows }}.person_id
            and slices.start_date >= {{ dated_rows }}.start_date
            and ({{ dated_rows }}.end_date is null or slices.start_date <= {{ dated_rows }}.end_date)
    order by
        slices.council_code asc,
        slices.person_id asc,
        slices.start_date asc,
        {{ dated_rows }}.start_date desc,
        {{ dated_rows }}.{{ tie_break }}
{%- endmacro %}
