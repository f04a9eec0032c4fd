-- The marts anybody may be shown, and what was shown of them before. Nothing here leads to the marts behind them.
set role carehouse_owner;

create or replace view mart_open.publication as
select
    publication_id,
    as_at_date,
    published_at,
    publication_id = store.current_publication() as is_current
from store.publication
where published_at is not null and pruned_at is null;

comment on view mart_open.publication is
'One row is one publication that can still be read; pin it with: set carehouse.publication = ''<publication_id>''';

create or replace view mart_open.data_dictionary as
select
    shown.relname::text as mart_name,
    described.attnum::integer as column_position,
    described.attname::text as column_name,
    format_type(described.atttypid, described.atttypmod) as column_type,
    col_description(shown.oid, described.attnum) as column_description,
    split_part(obj_description(shown.oid, 'pg_class'), E'\n', 1) as mart_description,
    substring(obj_description(shown.oid, 'pg_class'), '(?n)^(One row is [^\n]*[^\n.])') as one_row_is
from pg_class as shown
inner join pg_attribute as described on shown.oid = described.attrelid
where shown.relnamespace = 'mart_open'::regnamespace and shown.relkind = 'v' and described.attnum > 0;

comment on view mart_open.data_dictionary is 'One row is one column of one open mart.';

comment on column mart_open.publication.publication_id is 'The publication: also the first column of every mart.';
comment on column mart_open.publication.as_at_date is 'The figures are as they were known at the end of this day.';
comment on column mart_open.publication.published_at is 'When readers were first shown it.';
comment on column mart_open.publication.is_current is 'Whether this session reads it.';
comment on column mart_open.data_dictionary.mart_name is 'The view in the schema mart_open.';
comment on column mart_open.data_dictionary.column_position is 'The place of the column, from 1.';
comment on column mart_open.data_dictionary.column_name is 'The column.';
comment on column mart_open.data_dictionary.column_type is 'Its PostgreSQL type.';
comment on column mart_open.data_dictionary.column_description is 'What it means, with its unit.';
comment on column mart_open.data_dictionary.mart_description is 'What the mart holds.';
comment on column mart_open.data_dictionary.one_row_is is 'What one row of it is.';

grant select on all tables in schema mart_open to mart_open_reader, carehouse_auditor;

-- Every kept publication counts, also one that readers were led back from: it has been seen.
create or replace function store.open_figures_before()
returns table (
    council_code text,
    measure_id text,
    period_type text,
    period_end_date date,
    breakdown_type text,
    breakdown_value text,
    was_open boolean,
    was_withheld boolean,
    was_above_zero boolean
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if to_regclass('store.open_kpi_values') is null then
        return;
    end if;
    return query execute
        'select shown.council_code, shown.measure_id, shown.period_type, shown.period_end_date, shown.breakdown_type, '
        'shown.breakdown_value, bool_or(coalesce(shown.withheld_code, ''not_available'') = ''not_available''), '
        'bool_or(shown.withheld_code is not distinct from ''small_numbers''), '
        'coalesce(bool_or(shown.value > 0 or shown.denominator > 0), false) '
        'from store.open_kpi_values as shown '
        'inner join store.publication as kept on shown.publication_id = kept.publication_id '
        'where kept.published_at is not null and kept.pruned_at is null group by 1, 2, 3, 4, 5, 6';
end
$$;

comment on function store.open_figures_before() is
'One row is one open figure that a kept publication has listed: whether it was ever open, and ever withheld.';

revoke all on function store.open_figures_before() from public;
grant execute on function store.open_figures_before() to carehouse_builder;

reset role;
