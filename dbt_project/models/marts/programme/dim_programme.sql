select
    {{ publication_id() }} as publication_id,
    programmes.council_code,
    programmes.programme_ref,
    programmes.programme_name,
    programmes.level_code,
    programmes.parent_programme_ref,
    parents.programme_name as parent_programme_name,
    programmes.report_order
from {{ ref('stg_programme__programmes') }} as programmes
left join {{ ref('stg_programme__programmes') }} as parents
    on
        programmes.council_code = parents.council_code
        and programmes.parent_programme_ref = parents.programme_ref
