-- How reviews were held. Forms give the answer as shown to the worker, so capitals, dashes and spaces are levelled.

with form_answers as (
    select
        council_code,
        step_ref,
        form_ref,
        question_code,
        lookup_answer
    from {{ ref('stg_mosaic__form_answers') }}
    where lookup_answer is not null
),

review_steps as (
    select distinct
        council_code,
        step_ref
    from {{ ref('int_reviews__completed') }}
),

review_methods as (
    select
        question_code,
        answer_key,
        review_method_code,
        is_alternative
    from {{ ref('review_methods') }}
),

questions as (
    select distinct question_code
    from review_methods
),

latest_answers as (
    select distinct on (form_answers.council_code, form_answers.step_ref)
        form_answers.council_code,
        form_answers.step_ref,
        form_answers.question_code,
        btrim(regexp_replace(lower(form_answers.lookup_answer), '[^a-z0-9]+', ' ', 'g')) as answer_key
    from form_answers
    inner join questions on form_answers.question_code = questions.question_code
    inner join review_steps
        on
            form_answers.council_code = review_steps.council_code
            and form_answers.step_ref = review_steps.step_ref
    order by
        form_answers.council_code asc,
        form_answers.step_ref asc,
        form_answers.form_ref desc,
        form_answers.question_code asc
)

select
    latest_answers.council_code,
    latest_answers.step_ref,
    coalesce(review_methods.review_method_code, 'unmapped') as review_method_code,
    review_methods.is_alternative
from latest_answers
left join review_methods
    on
        latest_answers.question_code = review_methods.question_code
        and latest_answers.answer_key = review_methods.answer_key
