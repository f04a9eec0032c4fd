-- Every version that was ever known, but for those of a delivery that was withdrawn since: the flags are as of their
-- extract, so last year's are in older versions only.

select
    versions.council_code,
    versions.direct_payment_ref,
    versions.known_from,
    versions.employs_personal_assistant,
    versions.is_on_prepaid_card
from {{ source('mosaic', 'direct_payments') }} as versions
inner join {{ source('audit', 'batch') }} as batches on versions.batch_id = batches.batch_id
where
    versions.known_from <= {{ as_at() }}
    and (batches.withdrawn_on is null or batches.withdrawn_on > {{ as_at() }})
