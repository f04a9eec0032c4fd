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
    released.because as released_because
from store.publication as kept
inner join audit.gate_run as judged on kept.gate_run_id = judged.gate_run_id
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
'One row is one publication that can still be read; pin it with: set carehouse.publication = ''<publication_id>''';

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

create or replace view mart.data_dictionary as
select
    shown.relname::text as mart_name,
    described.attnum::integer as column_position,
    described.attname::text as column_name,
    format_type(described.atttypid, described.atttypmod) as column_type,
    col_description(shown.oid, described.attnum) as column_description,
    obj_description(shown.oid, 'pg_class') as mart_description
from pg_class as shown
inner join pg_attribute as described on shown.oid = described.attrelid
where shown.relnamespace = 'mart'::regnamespace and shown.relkind = 'v' and described.attnum > 0;

comment on view mart.data_dictionary is 'One row is one column of one mart.';

comment on column mart.publication.publication_id is 'The publication: also the first column of every mart.';
comment on column mart.publication.as_at_date is 'The figures are as they were known at the end of this day.';
comment on column mart.publication.published_at is 'When readers were first shown it.';
comment on column mart.publication.published_by is 'The login that published it.';
comment on column mart.publication.code_version is 'The version of carehouse that built it.';
comment on column mart.publication.gate_verdict is 'What the gate decided: only passed builds are published.';
comment on column mart.publication.checks_evaluated is 'How many checks the gate made.';
comment on column mart.publication.warning_failed is 'How many checks of severity warning failed; these do not block.';
comment on column mart.publication.is_current is 'Whether this session reads it.';
comment on column mart.publication.released_by is 'Who published it although the gate had refused it; empty otherwise.';
comment on column mart.publication.released_because is 'Why, in the words of that person.';
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
comment on column mart.data_dictionary.mart_description is 'What one row of the mart is.';

grant select on all tables in schema mart to mart_reader, carehouse_auditor;

reset role;
