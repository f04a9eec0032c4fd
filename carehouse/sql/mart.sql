-- What readers may know about the publication itself.
set role carehouse_owner;

create or replace view mart.publication as
select
    kept.publication_id,
    kept.as_at_date,
    kept.published_at,
    kept.published_by,
    kept.code_version,
    judged.verdict as gate_verdict,
    judged.checks_evaluated,
    judged.warning_failed,
    kept.publication_id = store.current_publication() as is_current,
    released.decided_by as released_by,
    released.because as released_because,
    kept.asked_by as published_for,
    kept.gate_run_id,
    judged.decided_at as judged_at,
    judged.checks_declared,
    judged.critical_failed,
    made.asked_by as built_for,
    made.finished_at as built_at,
    made.dbt_version,
    made.dbt_invocation_id,
    made.pseudonym_key_version
from store.publication as kept
inner join audit.gate_run as judged on kept.gate_run_id = judged.gate_run_id
inner join audit.build as made on kept.publication_id = made.build_id
left join lateral (
    select
        decided.decided_by,
        decided.because
    from audit.gate_decision as decided
    where decided.gate_run_id = kept.gate_run_id and decided.decision_code = 'released'
    order by decided.gate_decision_id desc
    limit 1
) as released on true
where kept.published_at is not null and kept.pruned_at is null;

comment on view mart.publication is
E'One row is one publication that can still be read.\nPin it with: set carehouse.publication = ''<publication_id>''';

-- A build notes the newest delivery of each table only: with full extracts it holds all that was known, and what came
-- before it of a table of changes is every accepted delivery with a lower number.
create or replace view mart.publication_batches with (security_barrier) as
select
    kept.publication_id,
    delivered.council_code,
    delivered.source_name,
    delivered.table_name,
    delivered.batch_id,
    delivered.extract_date,
    delivered.known_on as known_on_date,
    delivered.file_name,
    delivered.content_sha256,
    delivered.contract_version,
    delivered.rows_in as row_count,
    delivered.rows_rejected as rejected_row_count,
    delivered.let_pass_by is not null as is_let_pass,
    delivered.withdrawn_on as withdrawn_on_date
from store.publication as kept
inner join audit.build_batch as used on kept.publication_id = used.build_id
inner join audit.batch as delivered on used.batch_id = delivered.batch_id
where kept.published_at is not null and kept.pruned_at is null and store.shows_council(delivered.council_code);

comment on view mart.publication_batches is
'One row is the newest delivery of one table of one council on which a publication rests.';

create or replace view mart.data_quality as
select
    kept.publication_id,
    evaluated.suite,
    evaluated.check_id,
    evaluated.table_name,
    evaluated.severity,
    evaluated.dimension,
    evaluated.outcome,
    evaluated.rows_checked,
    evaluated.rows_failed,
    evaluated.says,
    evaluated.owner,
    evaluated.measures,
    evaluated.reason,
    evaluated.broken_since
from store.publication as kept
inner join audit.gate_check as evaluated on kept.gate_run_id = evaluated.gate_run_id
where kept.publication_id = store.current_publication();

comment on view mart.data_quality is 'One row is one check that the gate made on the publication being read.';

create or replace view mart.data_quality_trend as
select
    judged.build_id as publication_id,
    judged.gate_run_id,
    made.as_at_date,
    judged.decided_at,
    judged.verdict as gate_verdict,
    kept.published_at is not null as was_published,
    evaluated.suite,
    evaluated.check_id,
    evaluated.table_name,
    evaluated.severity,
    evaluated.dimension,
    evaluated.outcome,
    evaluated.rows_checked,
    evaluated.rows_failed,
    round(100.0 * evaluated.rows_failed / nullif(evaluated.rows_checked, 0), 2)::numeric(8, 2) as failed_percent,
    evaluated.measures
from audit.gate_run as judged
inner join audit.build as made on judged.build_id = made.build_id
inner join audit.gate_check as evaluated on judged.gate_run_id = evaluated.gate_run_id
left join store.publication as kept on judged.gate_run_id = kept.gate_run_id;

comment on view mart.data_quality_trend is
'One row is one check of one night, published or refused: how many rows it looked at and how many failed it.';

-- What dbt knows of a mart besides its columns comes in the lines of its comment (dbt_project/macros/described.sql):
-- the description, an empty line, `One row is …`, and of a version that goes `Deprecated: …`.
create or replace view mart.data_dictionary as
select
    mart.mart_name,
    described.attnum::integer as column_position,
    described.attname::text as column_name,
    format_type(described.atttypid, described.atttypmod) as column_type,
    col_description(mart.view_id, described.attnum) as column_description,
    split_part(mart.words, E'\n', 1) as mart_description,
    substring(mart.words, '(?n)^(One row is [^\n]*[^\n.])') as one_row_is,
    case
        when format_type(described.atttypid, null) not in ('integer', 'bigint', 'numeric') then null
        when described.attname ~ '_gbp_k$' then '£000'
        when described.attname ~ '_gbp$' then '£'
        when described.attname ~ '(^|_)percent$' then '%'
        when described.attname ~ '(^|_)days(_|$)' then 'days'
        when described.attname ~ '_hours$' then 'hours'
        when described.attname ~ '_months$' then 'months'
        when described.attname ~ '_count$' then 'count'
        when mart.has_unit_code and described.attname !~ '_(id|number|order|position)$' then 'see unit_code'
    end as unit,
    case
        when mart.mart_name like 'dim\_%' then 'dimension'
        when mart.mart_name like 'fct\_%' then 'fact'
        when mart.mart_name like 'kpi\_%' then 'figures'
        else 'about_the_data'
    end as mart_class,
    mart.is_about_persons,
    substring(mart.words, '(?n)^Deprecated: [^\n]* goes after (\d{4}-\d\d-\d\d)')::date as deprecation_date,
    substring(mart.words, '(?n)^Deprecated: read mart\.(\w+)') as replaced_by
from (
    select
        shown.oid as view_id,
        shown.relname::text as mart_name,
        obj_description(shown.oid, 'pg_class') as words,
        bool_or(named.attname = 'unit_code') as has_unit_code,
        bool_or(named.attname ~ 'person_id$') as is_about_persons
    from pg_class as shown
    inner join pg_attribute as named on shown.oid = named.attrelid and named.attnum > 0
    where shown.relnamespace = 'mart'::regnamespace and shown.relkind = 'v'
    group by
        shown.oid,
        shown.relname
) as mart
inner join pg_attribute as described on mart.view_id = described.attrelid and described.attnum > 0;

comment on view mart.data_dictionary is 'One row is one column of one mart.';

comment on column mart.publication.publication_id is 'The publication: also the first column of every mart.';
comment on column mart.publication.as_at_date is 'The figures are as they were known at the end of this day.';
comment on column mart.publication.published_at is 'When readers were first shown it.';
comment on column mart.publication.published_by is 'The login that published it.';
comment on column mart.publication.code_version is 'The version of carehouse that built it.';
comment on column mart.publication.gate_verdict is
'What the gate decided: passed, or refused where a person released it nevertheless.';
comment on column mart.publication.checks_evaluated is 'How many checks the gate made.';
comment on column mart.publication.warning_failed is 'How many checks of severity warning failed; these do not block.';
comment on column mart.publication.is_current is 'Whether this session reads it.';
comment on column mart.publication.released_by is 'Who published it although the gate had refused it; empty otherwise.';
comment on column mart.publication.released_because is 'Why, in the words of that person.';
comment on column mart.publication.published_for is
'Who or what had it published: a DAG run, or a person by login name; empty before this was recorded.';
comment on column mart.publication.gate_run_id is 'The judgement by which it was published.';
comment on column mart.publication.judged_at is 'When the gate judged it.';
comment on column mart.publication.checks_declared is 'How many checks the gate had to make.';
comment on column mart.publication.critical_failed is
'How many checks of severity critical failed: more than 0 only in what a person released.';
comment on column mart.publication.built_for is
'Who or what had it built: a DAG run, or a person by login name; empty before this was recorded.';
comment on column mart.publication.built_at is 'When its tables were finished.';
comment on column mart.publication.dbt_version is 'The version of dbt that built it; empty before this was recorded.';
comment on column mart.publication.dbt_invocation_id is
'The run of dbt that built it, as dbt''s own logs and artefacts name it; empty before this was recorded.';
comment on column mart.publication_batches.publication_id is 'The publication.';
comment on column mart.publication_batches.council_code is 'Council that delivered it.';
comment on column mart.publication_batches.source_name is 'System it came from.';
comment on column mart.publication_batches.table_name is 'Table of that system.';
comment on column mart.publication_batches.batch_id is
'The delivery. What was known of the table is this and its accepted deliveries with lower numbers.';
comment on column mart.publication_batches.extract_date is 'Day of which the file says it is.';
comment on column mart.publication_batches.known_on_date is 'Business date on which it was loaded.';
comment on column mart.publication_batches.file_name is 'Its file.';
comment on column mart.publication_batches.content_sha256 is 'SHA-256 of the bytes of the file.';
comment on column mart.publication_batches.contract_version is 'Version of the contract by which it was read.';
comment on column mart.publication_batches.row_count is 'Rows in the file.';
comment on column mart.publication_batches.rejected_row_count is 'Rows among them that went to quarantine.';
comment on column mart.publication_batches.is_let_pass is
'Whether a person let it pass although it was unlike earlier deliveries.';
comment on column mart.publication_batches.withdrawn_on_date is
'Day on which it was taken back; a publication that rests on it shows what was believed before.';
comment on column mart.publication.pseudonym_key_version is
'Which version of the key its pseudonyms are of: those of two versions are not to be compared.';
comment on column mart.data_quality.publication_id is 'The publication that was checked.';
comment on column mart.data_quality.suite is 'The file of checks.';
comment on column mart.data_quality.check_id is 'The check, unique in its suite.';
comment on column mart.data_quality.table_name is 'The mart that was checked.';
comment on column mart.data_quality.severity is 'critical blocks publication; warning and information do not.';
comment on column mart.data_quality.dimension is 'completeness, conformance, plausibility, consistency or timeliness.';
comment on column mart.data_quality.outcome is 'passed, failed, error or not_applicable.';
comment on column mart.data_quality.rows_checked is 'How many rows the check looked at.';
comment on column mart.data_quality.rows_failed is 'How many of them failed it.';
comment on column mart.data_quality.says is 'What the check protects, in a plain sentence.';
comment on column mart.data_quality.owner is 'Whom to ask.';
comment on column mart.data_quality.measures is 'The measures it protects, by id.';
comment on column mart.data_quality.reason is 'Why it failed or did not apply.';
comment on column mart.data_quality.broken_since is
'As-at day of the first night in an unbroken row on which it failed; empty while it passes.';
comment on column mart.data_quality_trend.gate_run_id is 'The judgement: a build may be judged more than once.';
comment on column mart.data_quality_trend.as_at_date is 'Day whose knowledge was judged.';
comment on column mart.data_quality_trend.decided_at is 'When the gate judged it.';
comment on column mart.data_quality_trend.gate_verdict is 'passed or refused, for the build as a whole.';
comment on column mart.data_quality_trend.publication_id is 'The build, which is the publication if it was published.';
comment on column mart.data_quality_trend.was_published is 'Whether readers have been shown it.';
comment on column mart.data_quality_trend.suite is 'The file of checks.';
comment on column mart.data_quality_trend.check_id is 'The check, unique in its suite.';
comment on column mart.data_quality_trend.table_name is 'The mart that was checked.';
comment on column mart.data_quality_trend.severity is 'critical blocks publication; warning and information do not.';
comment on column mart.data_quality_trend.dimension is
'completeness, conformance, plausibility, consistency or timeliness.';
comment on column mart.data_quality_trend.outcome is 'passed, failed, error or not_applicable.';
comment on column mart.data_quality_trend.rows_checked is 'How many rows the check looked at: the denominator.';
comment on column mart.data_quality_trend.rows_failed is 'How many of them failed it: the numerator.';
comment on column mart.data_quality_trend.failed_percent is 'Share of the rows that failed, in percent.';
comment on column mart.data_quality_trend.measures is 'The measures it protects, by id.';
comment on column mart.data_dictionary.mart_name is 'The view in the schema mart.';
comment on column mart.data_dictionary.column_position is 'The place of the column, from 1.';
comment on column mart.data_dictionary.column_name is 'The column.';
comment on column mart.data_dictionary.column_type is 'Its PostgreSQL type.';
comment on column mart.data_dictionary.column_description is 'What it means, with its unit.';
comment on column mart.data_dictionary.mart_description is 'What the mart holds.';
comment on column mart.data_dictionary.one_row_is is 'What one row of the mart is.';
comment on column mart.data_dictionary.unit is 'The unit of a number; empty where it has none.';
comment on column mart.data_dictionary.mart_class is 'dimension, fact, figures or about_the_data.';
comment on column mart.data_dictionary.is_about_persons is
'Whether its rows are about single persons, by pseudonym: to be handled as personal data.';
comment on column mart.data_dictionary.deprecation_date is
'Last day on which the mart is sure to be there; empty unless a new version replaces it.';
comment on column mart.data_dictionary.replaced_by is 'The mart that replaces it; empty unless one does.';

grant select on all tables in schema mart to mart_reader, carehouse_auditor;

reset role;
