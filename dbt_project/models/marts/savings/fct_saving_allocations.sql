select
    {{ publication_id() }} as publication_id,
    council_code,
    claim_ref || '-' || allocation_number as saving_allocation_id,
    claim_ref as saving_id,
    allocation_number,
    project_ref,
    previous_project_ref,
    valid_from,
    valid_to,
    is_current
from {{ ref('int_savings__allocations') }}
