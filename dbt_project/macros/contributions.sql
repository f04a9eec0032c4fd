{# What facts contribute, from a CTE `events` (council_code, measure_id, counted_on_date, fact_name, fact_key, person_id,
   team_ref, other_breakdown_value, numerator, denominator), with the age band and the support reason on the day counted.
   Needs the CTEs `people` and `support_reasons`; who is not known has neither. #}
{% macro contributions_on_the_day_counted() -%}
    select
        events.council_code,
        events.measure_id,
        events.counted_on_date,
        events.fact_name,
        events.fact_key,
        events.person_id,
        events.team_ref,
        {{ age_band('people.birth_date', 'events.counted_on_date') }} as age_band,
        coalesce(support_reasons.support_reason_code, 'unknown') as support_reason_code,
        events.other_breakdown_value,
        events.numerator,
        events.denominator
    from events
    left join people
        on
            events.council_code = people.council_code
            and events.person_id = people.person_id
    left join support_reasons
        on
            events.council_code = support_reasons.council_code
            and events.person_id = support_reasons.person_id
            and events.counted_on_date >= support_reasons.start_date
            and (support_reasons.end_date is null or events.counted_on_date <= support_reasons.end_date)
{%- endmacro %}
