-- What PostgreSQL lets everybody do unless it is told otherwise. Without a superuser some of it stays as it is, with a
-- warning: the server's own functions and languages belong to a superuser.
do $$
declare
    found record;
begin
    -- A block of code or a lock could keep the server busy, or keep a night from being built or published.
    revoke usage on language plpgsql, sql from public;
    grant usage on language plpgsql, sql to carehouse_owner, pg_database_owner;
    for found in
        select oid::regprocedure as name, proname
        from pg_proc
        where
            pronamespace = 'pg_catalog'::regnamespace
            -- Letting go of locks stays open to all: drivers do so when they hand a connection back to their pool.
            and (proname ~ '^pg_(try_)?advisory_(xact_)?lock' or proname ~ '^lo_' or proname in ('loread', 'lowrite'))
            and has_function_privilege(oid, 'execute')
    loop
        execute format('revoke all on function %s from public', found.name);
        if found.proname ~ 'advisory' then
            execute format(
                'grant execute on function %s to carehouse_owner, carehouse_loader, carehouse_builder, carehouse_gate, '
                'carehouse_publisher, carehouse_approver, carehouse_housekeeper',
                found.name
            );
        end if;
    end loop;
end
$$;
