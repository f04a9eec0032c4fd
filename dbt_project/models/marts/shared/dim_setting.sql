select
    {{ publication_id() }} as publication_id,
    'all' as council_code,
    service_type_code,
    setting_label,
    independence_order,
    overlap_priority,
    is_long_term,
    is_accommodation,
    is_care_home
from {{ ref('setting_hierarchy') }}
