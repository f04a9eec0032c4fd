select
    council_code,
    form_ref,
    question_code,
    step_ref,
    template_ref,
    date_answer,
    lookup_answer
from {{ known_at(source('mosaic', 'form_answers')) }}
