-- Who there is. Roles belong to the whole server, so another warehouse on it may have made them already.
do $$
declare
    role_name text;
begin
    foreach role_name in array array[
        'carehouse_owner',
        'carehouse_loader',
        'carehouse_builder',
        'carehouse_gate',
        'carehouse_publisher',
        'carehouse_approver',
        'carehouse_housekeeper',
        'carehouse_auditor',
        'mart_reader',
        'mart_open_reader'
    ] loop
        begin
            execute format('create role %I nologin', role_name);
        exception when duplicate_object or unique_violation then
            null;
        end;
    end loop;
    execute format('revoke all on database %I from public', current_database());
    execute format(
        'grant connect on database %I to carehouse_loader, carehouse_builder, carehouse_gate, carehouse_publisher, '
        'carehouse_approver, carehouse_housekeeper, carehouse_auditor, mart_reader, mart_open_reader',
        current_database()
    );
    execute format('grant temporary on database %I to carehouse_loader, carehouse_builder', current_database());
    execute format('grant create on database %I to carehouse_owner', current_database());
end
$$;

grant carehouse_owner to current_user;

-- Publication takes the builder's finished tables over, and only through its functions.
grant carehouse_builder to carehouse_owner;

-- Detaching a partition without blocking readers cannot be done from a function.
grant carehouse_owner to carehouse_housekeeper;

alter role mart_reader set default_transaction_read_only = on;
alter role mart_reader set statement_timeout = '10min';
alter role mart_reader set idle_in_transaction_session_timeout = '1h';
alter role mart_open_reader set default_transaction_read_only = on;
alter role mart_open_reader set statement_timeout = '10min';
alter role mart_open_reader set idle_in_transaction_session_timeout = '1h';
