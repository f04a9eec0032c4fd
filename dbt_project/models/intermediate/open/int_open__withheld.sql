-- Which figures are listed in the open marts, and which of them are withheld. What is withheld of one breakdown can be
-- moved among its withheld parts without changing anything that is shown: so nothing shown says more about one of them
-- than that it is small. Decision 0013 proves it.

with figures as (
    select * from {{ ref('int_open__figures') }}
    where is_about_people
),

shown_before as (
    select * from {{ ref('stg_store__open_figures_before') }}
),

judged as (
    select
        figures.council_code,
        figures.measure_id,
        figures.period_type,
        figures.period_end_date,
        figures.breakdown_type,
        figures.breakdown_value,
        figures.suppress_below,
        figures.first_count,
        figures.second_count,
        figures.third_count,
        figures.first_count is not null as has_counts,
        coalesce(
            figures.first_count < figures.suppress_below
            and (figures.first_count > 0 or not figures.is_zero_shown),
            false
        ) as first_is_small,
        coalesce(
            figures.second_count < figures.suppress_below
            and (figures.second_count > 0 or not figures.is_zero_shown),
            false
        ) as second_is_small,
        coalesce(
            figures.third_count < figures.suppress_below
            and (figures.third_count > 0 or not figures.is_zero_shown),
            false
        ) as third_is_small,
        coalesce(shown_before.was_open, false) as was_open,
        coalesce(shown_before.was_withheld, false) as was_withheld,
        coalesce(shown_before.was_above_zero, false) as was_above_zero
    from figures
    left join shown_before
        on
            figures.council_code = shown_before.council_code
            and figures.measure_id = shown_before.measure_id
            and figures.period_type = shown_before.period_type
            and figures.period_end_date = shown_before.period_end_date
            and figures.breakdown_type = shown_before.breakdown_type
            and figures.breakdown_value = shown_before.breakdown_value
),

-- What was withheld once stays so: shown later, it would tell what stood beside it then.
judged_again as (
    select
        *,
        first_is_small
        or second_is_small
        -- Of the council as a whole, rounding hides what is left of the denominator; of parts, their sum could tell it.
        or (third_is_small and breakdown_type <> 'council')
        or was_withheld as is_small
    from judged
),

wholes as (
    select * from judged_again
    where breakdown_type = 'council'
),

breakdowns_shown_before as (
    select distinct
        council_code,
        measure_id,
        period_type,
        period_end_date,
        breakdown_type
    from shown_before
    where breakdown_type <> 'council'
),

-- Small parts first, then the others by size: withheld are so many of them, counted from the first, that the small ones
-- can hide among them.
parts_in_order as (
    select
        parts.*,
        wholes.council_code is not null as has_whole,
        coalesce(wholes.is_small or not wholes.has_counts, false) as is_whole_withheld,
        coalesce(wholes.was_open and wholes.was_above_zero and listed.council_code is null, false) as was_not_listed,
        row_number() over running as place,
        count(*) filter (where parts.is_small) over breakdown as small_count,
        bool_or(parts.first_is_small) over breakdown as hides_first,
        bool_or(parts.second_is_small) over breakdown as hides_second,
        bool_or(parts.third_is_small) over breakdown as hides_third,
        sum(parts.first_count) over running as first_sum,
        sum(parts.second_count) over running as second_sum,
        sum(parts.third_count) over running as third_sum
    from judged_again as parts
    left join wholes
        on
            parts.council_code = wholes.council_code
            and parts.measure_id = wholes.measure_id
            and parts.period_type = wholes.period_type
            and parts.period_end_date = wholes.period_end_date
    left join breakdowns_shown_before as listed
        on
            parts.council_code = listed.council_code
            and parts.measure_id = listed.measure_id
            and parts.period_type = listed.period_type
            and parts.period_end_date = listed.period_end_date
            and parts.breakdown_type = listed.breakdown_type
    where parts.breakdown_type <> 'council' and parts.has_counts
    window
        breakdown as (
            partition by
                parts.council_code, parts.measure_id, parts.period_type, parts.period_end_date, parts.breakdown_type
        ),
        running as (
            partition by
                parts.council_code, parts.measure_id, parts.period_type, parts.period_end_date, parts.breakdown_type
            order by
                parts.is_small desc, greatest(parts.first_count, parts.second_count) asc, parts.breakdown_value asc
            rows between unbounded preceding and current row
        )
),

-- Each part has at least one, so any one of them may have all but one for each of the others.
parts_that_hide as (
    select
        *,
        case
            when small_count = 0 then 0
            when not has_whole then small_count
            else
                min(place) filter (
                    where
                    place >= greatest(small_count, 2)
                    and (not hides_first or first_sum >= place + suppress_below - 2)
                    and (not hides_second or second_sum >= place + suppress_below - 2)
                    and (not hides_third or third_sum >= place + suppress_below - 2)
                ) over (partition by council_code, measure_id, period_type, period_end_date, breakdown_type)
        end as withheld_places
    from parts_in_order
),

parts as (
    select
        *,
        place <= withheld_places as is_withheld,
        is_whole_withheld or was_not_listed or withheld_places is null as is_unlisted
    from parts_that_hide
),

-- Who has seen a part that is withheld now could subtract it from the new figure of the council.
closed as (
    select distinct
        council_code,
        measure_id,
        period_type,
        period_end_date
    from parts
    where has_whole and was_open and (is_unlisted or is_withheld)
)

select
    wholes.council_code,
    wholes.measure_id,
    wholes.period_type,
    wholes.period_end_date,
    wholes.breakdown_type,
    wholes.breakdown_value,
    case
        when not wholes.has_counts then 'no_counts'
        when wholes.is_small or closed.council_code is not null then 'small_numbers'
    end as withheld_code
from wholes
left join closed
    on
        wholes.council_code = closed.council_code
        and wholes.measure_id = closed.measure_id
        and wholes.period_type = closed.period_type
        and wholes.period_end_date = closed.period_end_date

union all

select
    parts.council_code,
    parts.measure_id,
    parts.period_type,
    parts.period_end_date,
    parts.breakdown_type,
    parts.breakdown_value,
    case when parts.is_withheld then 'small_numbers' end as withheld_code
from parts
left join closed
    on
        parts.council_code = closed.council_code
        and parts.measure_id = closed.measure_id
        and parts.period_type = closed.period_type
        and parts.period_end_date = closed.period_end_date
where not parts.is_unlisted and closed.council_code is null
