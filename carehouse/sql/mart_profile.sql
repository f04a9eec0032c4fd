-- What the gate counts of the marts it judges, and what it holds the counts against.
set role carehouse_owner;

create table if not exists audit.mart_profile (
    build_id bigint not null references audit.build,
    counted_at timestamptz not null,
    table_name text not null,
    council_code text not null,
    month_start_date date,
    row_count bigint not null check (row_count >= 0),
    amount_gbp numeric,
    previous_publication_id bigint,
    previous_as_at_date date,
    previous_row_count bigint,
    previous_amount_gbp numeric,
    is_comparable boolean not null,
    unique nulls not distinct (build_id, counted_at, table_name, council_code, month_start_date)
);

comment on table audit.mart_profile is
'One row is how many rows of a council a mart had in a month, and what they came to, beside the publication before it; '
'the month is empty for rows without a day and for months that are no longer compared.';

-- A build may be judged more than once: the last count stands.
create or replace view audit.mart_movement as
select
    counted.table_name,
    counted.council_code,
    counted.month_start_date,
    counted.row_count,
    counted.amount_gbp,
    counted.previous_as_at_date,
    counted.previous_row_count,
    counted.previous_amount_gbp,
    counted.is_comparable
from audit.mart_profile as counted
where
    counted.build_id = nullif(current_setting('carehouse.build_id', true), '')::bigint
    and counted.counted_at = (
        select max(latest.counted_at)
        from audit.mart_profile as latest
        where latest.build_id = nullif(current_setting('carehouse.build_id', true), '')::bigint
    );

comment on view audit.mart_movement is
'One row is a month of a council in a mart of the build that is judged (carehouse.build_id), beside the publication '
'before it.';

-- A late delivery of a whole table has no profile, since it changes nothing that is current.
create or replace view audit.landed_table as
select
    latest.council_code,
    latest.source_name,
    latest.table_name,
    standing.row_count as landed_row_count,
    erased.row_count + run_out.row_count as taken_away_row_count,
    case
        when erased.row_count + run_out.row_count + latest.rows_erased = 0 then latest.control_total_gbp
    end as control_total_gbp,
    latest.extract_date as newest_extract_date,
    judged.as_at_date
from audit.build as judged
inner join audit.build_batch as used on judged.build_id = used.build_id
inner join audit.batch as latest on used.batch_id = latest.batch_id
left join lateral (
    select
        profiled.row_count,
        delivered.finished_at
    from audit.batch as delivered
    inner join audit.batch_profile as profiled
        on delivered.batch_id = profiled.batch_id and profiled.kind = 'rows'
    where
        (delivered.council_code, delivered.source_name, delivered.table_name)
        = (latest.council_code, latest.source_name, latest.table_name)
        and delivered.state = 'accepted'
        and delivered.known_on <= judged.as_at_date
        -- What lands after the build began waits until it ends, and is in none of its tables.
        and delivered.finished_at <= judged.started_at
        and (delivered.withdrawn_on is null or delivered.withdrawn_on > judged.as_at_date)
    order by delivered.batch_id desc
    limit 1
) as standing on true
cross join
    lateral (
        select coalesce(sum(step.rows_deleted), 0)::bigint as row_count
        from audit.erasure_step as step
        inner join audit.erasure as decided on step.erasure_id = decided.erasure_id
        where
            step.step_code = 'history'
            and step.object_name = latest.source_name || '.' || latest.table_name
            and decided.council_code = latest.council_code
            and step.done_at > standing.finished_at
    ) as erased
cross join
    lateral (
        select coalesce(sum(expired.rows_removed), 0)::bigint as row_count
        from audit.retention_run as expired
        where
            expired.table_name = latest.source_name || '.' || latest.table_name
            and expired.council_code = latest.council_code
            and expired.ran_at > standing.finished_at
    ) as run_out
where judged.build_id = nullif(current_setting('carehouse.build_id', true), '')::bigint;

comment on view audit.landed_table is
'One row is a source table of a council as the build that is judged (carehouse.build_id) had it: how many rows it '
'held when its last delivery had landed, how many versions of rows were taken away on purpose since, the control '
'total of that delivery, empty where rows of it were taken away, and its day beside that of the build.';

grant execute on function store.previous_publication(date, bigint) to carehouse_gate;
grant usage on schema store to carehouse_gate;
grant select, insert on audit.mart_profile to carehouse_gate;
grant select on audit.mart_movement, audit.landed_table to carehouse_gate;
grant select on audit.mart_profile, audit.mart_movement, audit.landed_table to carehouse_auditor;

reset role;
