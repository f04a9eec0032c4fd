-- Who there is. Roles belong to the whole server, so another warehouse on it may have made them already.
do $$
declare
    role_name text;
begin
    foreach role_name in array array[
        'carehouse_owner',
        'carehouse_shelf',
        'carehouse_loader',
        'carehouse_builder',
        'carehouse_gate',
        'carehouse_publisher',
        'carehouse_approver',
        'carehouse_housekeeper',
        'carehouse_auditor',
        'carehouse_reader',
        'carehouse_open_reader',
        'mart_reader',
        'mart_open_reader',
        'council_all'
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

-- Detaching a partition without blocking readers cannot be done from a function: who does it must own the marts of the
-- store, and nothing else. The ledger, the pointer and the functions have another owner.
grant carehouse_shelf to carehouse_owner;
grant carehouse_shelf to carehouse_housekeeper;
revoke carehouse_owner from carehouse_housekeeper;

-- Groups are inherited from and cannot log in: what a group may see, everybody in it may.
alter role mart_reader nologin password null;
alter role mart_open_reader nologin password null;
alter role mart_reader reset all;
alter role mart_open_reader reset all;
grant mart_reader to carehouse_reader;
grant mart_open_reader to carehouse_open_reader;

-- A login sees the councils whose groups (`council_<code>`) it is in; in this one, every council, also those to come.
grant council_all to carehouse_builder, carehouse_auditor, carehouse_reader, carehouse_open_reader;
