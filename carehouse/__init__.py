"""The ground: settings, database, audit ledger and publication. The `carehouse` command is its roof."""
