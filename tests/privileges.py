"""Compares what each role may do with what is declared: every object of the catalogue, every role, every privilege."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import Warehouse

DECLARED = Path(__file__).parent / "privileges.yaml"
PRIVILEGES = {
    "database": ("connect", "temporary", "create"),
    "languages": ("usage",),
    "schemas": ("usage", "create"),
    "relations": ("select", "insert", "update", "delete", "truncate", "references", "trigger"),
    "sequences": ("usage", "select", "update"),
    "functions": ("execute",),
    "types": ("usage",),
}
BY_COLUMN = ("select", "insert", "update", "references")
OURS = "nspname !~ '^(pg_|information_schema$)'"

# Each kind of object: its name, its oid, its owner, whether it runs as its owner, its grants, and how a right is asked for.
OBJECTS = {
    "database": (
        "select datname as name, oid, datdba as owner, false as definer, datacl as acl, 'd' as class from pg_database "
        "where datname = current_database()",
        "has_database_privilege",
    ),
    "languages": (
        "select lanname, oid, lanowner, false, lanacl, 'l' from pg_language where lanpltrusted",
        "has_language_privilege",
    ),
    "schemas": (
        f"select nspname, oid, nspowner, false, nspacl, 'n' from pg_namespace where {OURS}",
        "has_schema_privilege",
    ),
    "relations": (
        "select nspname || '.' || relname, c.oid, relowner, false, relacl, 'r' from pg_class as c "
        f"inner join pg_namespace as n on relnamespace = n.oid where {OURS} and relkind in ('r', 'v', 'm', 'p', 'f')",
        "has_table_privilege",
    ),
    "sequences": (
        "select nspname || '.' || relname, c.oid, relowner, false, relacl, 's' from pg_class as c "
        f"inner join pg_namespace as n on relnamespace = n.oid where {OURS} and relkind = 'S'",
        "has_sequence_privilege",
    ),
    "functions": (
        "select nspname || '.' || proname, p.oid, proowner, prosecdef, proacl, 'f' from pg_proc as p "
        f"inner join pg_namespace as n on pronamespace = n.oid where {OURS}",
        "has_function_privilege",
    ),
    # A table's own type and its arrays are used by whoever reads the table.
    "types": (
        "select nspname || '.' || typname, t.oid, typowner, false, typacl, 'T' from pg_type as t "
        f"inner join pg_namespace as n on typnamespace = n.oid where {OURS} and typtype in ('d', 'e', 'r')",
        "has_type_privilege",
    ),
}


def declared() -> dict[str, Any]:
    """Read what is declared."""
    return dict(yaml.safe_load(DECLARED.read_text(encoding="utf-8")))


def differences(warehouse: Warehouse, said: Mapping[str, Any]) -> list[str]:
    """Say in words whatever a role may do beyond what is declared, or may not do of it."""
    return sorted(
        {
            *_of_roles(warehouse, said),
            *_of_objects(warehouse, said),
            *_of_columns(warehouse, said),
            *_of_strangers(warehouse, said),
            *_of_defaults(warehouse, said),
            *_of_server_functions(warehouse, said),
        }
    )


def unused(warehouse: Warehouse, said: Mapping[str, Any]) -> list[str]:
    """Give the lines that are about no object: what they promise is not there."""
    return [
        f"{kind} {pattern}"
        for kind in OBJECTS
        for pattern, line in _lines(said, kind).items()
        if not line.get("may_be_absent")
        and not any(_line_of(said, kind, name) == pattern for name in _names(warehouse, kind))
    ]


def walked(warehouse: Warehouse, said: Mapping[str, Any]) -> int:
    """Count the questions that are asked: objects times roles times privileges."""
    return sum(
        len(_names(warehouse, kind)) * (len(said["roles"]) + 1) * len(privileges)
        for kind, privileges in PRIVILEGES.items()
    )


def _names(warehouse: Warehouse, kind: str) -> list[str]:
    return [str(row[0]) for row in warehouse.rows(OBJECTS[kind][0])]


def _lines(said: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"*": said["database"]} if kind == "database" else dict(said.get(kind) or {})


def _line_of(said: Mapping[str, Any], kind: str, name: str) -> str | None:
    """Give the most exact line about an object."""
    fitting = [pattern for pattern in _lines(said, kind) if pattern == name or fnmatchcase(name, pattern)]
    return max(fitting, key=lambda pattern: (pattern == name, len(pattern)), default=None)


def _with_heirs(said: Mapping[str, Any], granted: set[str]) -> set[str]:
    """Add the roles that inherit a right from those to which it was granted."""
    reached = set(granted)
    while more := {
        role
        for role, about in said["roles"].items()
        if role not in reached and reached.intersection(about.get("inherits", []))
    }:
        reached |= more
    return reached & set(said["roles"])


def _of_objects(warehouse: Warehouse, said: Mapping[str, Any]) -> Iterator[str]:
    """Every object x every role and everybody (`public`) x every privilege."""
    for kind, (objects, ask) in OBJECTS.items():
        rights: dict[str, set[tuple[str, str]]] = {}
        owners: dict[str, tuple[str, bool]] = {}
        for name, owner, definer, held in warehouse.rows(
            f"""
            select name, owner::regrole::text, definer, array(
                select role_name || ' ' || privilege
                from unnest(array[{_quoted([*said["roles"], "public"])}]) as role_name,
                    unnest(array[{_quoted(PRIVILEGES[kind])}]) as privilege
                where {ask}(role_name, objects.oid, privilege)
            )
            from ({objects}) as objects (name, oid, owner, definer, acl, class)
            """
        ):
            # Functions of one name but other arguments are told apart by nothing here: one line is about all.
            rights.setdefault(name, set()).update(tuple(each.split(" ")) for each in held)
            owners[name] = (owner, definer)
        rightful = {
            pattern: {
                (role, privilege)
                for privilege in PRIVILEGES[kind]
                for role in _with_heirs(said, {line["owner"], *line.get(privilege, [])})
            }
            for pattern, line in _lines(said, kind).items()
        }
        for name, found in rights.items():
            pattern = _line_of(said, kind, name)
            if pattern is None:
                yield f"{kind} {name}: no line is about it"
                continue
            line = _lines(said, kind)[pattern]
            if line["owner"] != "ADMIN" and owners[name][0] != line["owner"]:
                yield f"{kind} {name}: is owned by {owners[name][0]}, not {line['owner']}"
            if owners[name][1] != bool(line.get("definer")):
                yield f"{kind} {name}: {'runs' if owners[name][1] else 'does not run'} with the rights of its owner"
            wanted = rightful[pattern]
            yield from (f"{kind} {name}: {role} may {privilege}" for role, privilege in found - wanted)
            yield from (f"{kind} {name}: {role} may not {privilege}" for role, privilege in wanted - found)


def _of_columns(warehouse: Warehouse, said: Mapping[str, Any]) -> Iterator[str]:
    """Rights to single columns, beyond those to their table."""
    found = set(
        warehouse.rows(
            f"""
            select name, attname::text, role_name, privilege
            from ({OBJECTS["relations"][0]}) as objects (name, oid, owner, definer, acl, class)
            inner join pg_attribute on attrelid = objects.oid and attacl is not null
            cross join unnest(array[{_quoted([*said["roles"], "public"])}]) as role_name
            cross join unnest(array[{_quoted(BY_COLUMN)}]) as privilege
            where
                has_column_privilege(role_name, objects.oid, attnum, privilege)
                and not has_table_privilege(role_name, objects.oid, privilege)
            """
        )
    )
    wanted = {
        (name, column, heir, privilege)
        for name, line in _lines(said, "relations").items()
        for role, rights in line.get("columns", {}).items()
        for privilege, columns in rights.items()
        for column in columns
        for heir in _with_heirs(said, {role}) - _with_heirs(said, {line["owner"], *line.get(privilege, [])})
    }
    yield from (f"relations {name}: {role} may {what} {column}" for name, column, role, what in found - wanted)
    yield from (f"relations {name}: {role} may not {what} {column}" for name, column, role, what in wanted - found)


def _of_strangers(warehouse: Warehouse, said: Mapping[str, Any]) -> Iterator[str]:
    """Grants to anybody who is not declared, and grants that may be passed on."""
    known = _quoted([*said["roles"], "pg_database_owner"])
    for kind, (objects, _) in OBJECTS.items():
        for name, grantee, privilege, passed_on in warehouse.rows(
            f"""
            select name, coalesce(pg_get_userbyid(nullif(grantee, 0)), 'PUBLIC'), privilege_type, is_grantable
            from ({objects}) as objects (name, oid, owner, definer, acl, class),
                aclexplode(coalesce(acl, acldefault(class::"char", owner)))
            where grantee <> owner and (
                is_grantable or grantee = 0 or pg_get_userbyid(grantee) <> all (array[{known}])
            )
            """
        ):
            yield f"{kind} {name}: {grantee} may {privilege}{' and pass it on' if passed_on else ''}"


def _of_defaults(warehouse: Warehouse, said: Mapping[str, Any]) -> Iterator[str]:
    """What objects that are made later are granted to others than their owner."""
    kinds = {"r": "table", "S": "sequence", "f": "function", "T": "type", "n": "schema"}
    found = {
        (f"{owner} {schema} {kinds[kind]}"): set(grants)
        for owner, schema, kind, grants in warehouse.rows(
            """
            select defaclrole::regrole::text, coalesce(nspname::text, '*'), defaclobjtype::text, array(
                select lower(privilege_type) || ' ' || coalesce(pg_get_userbyid(nullif(grantee, 0)), 'PUBLIC')
                from aclexplode(defaclacl) where grantee <> defaclrole
            )
            from pg_default_acl left join pg_namespace on defaclnamespace = pg_namespace.oid
            """
        )
    }
    wanted = {
        name: {f"{privilege} {role}" for privilege, roles in grants.items() for role in roles}
        for name, grants in said["defaults"].items()
    }
    for name, grants in found.items():
        line = next((wanted[pattern] for pattern in wanted if pattern == name or fnmatchcase(name, pattern)), None)
        if grants != (line or set()):
            yield f"defaults {name}: {', '.join(sorted(grants)) or 'nothing'} is not what is declared"
    makers = [role for role in said["roles"] if role in {"carehouse_owner", "carehouse_shelf", *_makers(said)}]
    for role in makers:
        for kind in ("function", "type"):
            if f"{role} * {kind}" not in found:
                yield f"defaults {role} * {kind}: everybody may use what it makes"
    for pattern in wanted:
        if not any(pattern == name or fnmatchcase(name, pattern) for name in found):
            yield f"defaults {pattern}: is not so"


def _makers(said: Mapping[str, Any]) -> set[str]:
    return {line["owner"] for line in said["schemas"].values()}


def _of_server_functions(warehouse: Warehouse, said: Mapping[str, Any]) -> Iterator[str]:
    """Functions of the server that are kept from everybody."""
    patterns = said["server_functions"]
    like = ", ".join(f"'{pattern.replace('_', chr(92) + '_').replace('*', '%')}'" for pattern in patterns)
    rows = warehouse.rows(
        f"""
        select proname::text, array(
            select role_name from unnest(array[{_quoted([*said["roles"], "public"])}]) as role_name
            where has_function_privilege(role_name, oid, 'execute')
        )
        from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace and proname !~ 'unlock' and proname like any (array[{like}])
        """
    )
    for pattern, roles in patterns.items():
        concerned = [(name, set(held)) for name, held in rows if fnmatchcase(name, pattern)]
        if not concerned:
            yield f"server_functions {pattern}: there is none"
        wanted = _with_heirs(said, set(roles))
        for name, held in concerned:
            yield from (f"server_functions {name}: {role} may execute" for role in held - wanted)
            yield from (f"server_functions {name}: {role} may not execute" for role in wanted - held)


def _of_roles(warehouse: Warehouse, said: Mapping[str, Any]) -> Iterator[str]:
    """Who there is, who may log in, and who inherits from whom."""
    about = {
        name: (can_login, extraordinary)
        for name, can_login, extraordinary in warehouse.rows(
            """
            select rolname, rolcanlogin, rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
            from pg_roles where rolname ~ '^(carehouse|mart|council)_'
            """
        )
    }
    of_one_council = {role for role in about if role.startswith("council_") and role not in said["roles"]}
    for role in about.keys() - said["roles"].keys() - of_one_council:
        yield f"roles {role}: no line is about it"
    for role, line in said["roles"].items():
        if role not in about:
            yield f"roles {role}: there is no such role"
            continue
        if about[role] != (line["login"], False):
            yield f"roles {role}: login is {about[role][0]}, not {line['login']}, or it may make roles or databases"
    inherited: dict[str, set[str]] = {}
    for member, held in warehouse.rows(
        """
        select member.rolname, held.rolname from pg_auth_members as membership
        inner join pg_roles as member on membership.member = member.oid and not member.rolsuper
        inner join pg_roles as held on membership.roleid = held.oid
        """
    ):
        inherited.setdefault(member, set()).add(held)
    for member, held in inherited.items():
        groups = held & {"mart_reader", "mart_open_reader"}
        if member not in said["roles"]:
            beyond = held - of_one_council - groups - {"council_all"}
            if held & about.keys() and (len(groups) != 1 or beyond):
                yield f"roles {member}: is a reader and inherits {', '.join(sorted(held))}"
        elif held != set(said["roles"][member].get("inherits", [])):
            yield f"roles {member}: inherits {', '.join(sorted(held))}"
    for role, line in said["roles"].items():
        if line.get("inherits") and role not in inherited:
            yield f"roles {role}: inherits nothing"


def _quoted(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in names)
