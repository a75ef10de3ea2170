"""Who may do what in the database.

Three roles. The owner migrates. The app (web, worker, tests) reads and writes rows in `public`,
but on the ledger it only reads tables and calls functions, so no bug in Python can rewrite it.
Readonly is for dashboards and people who look.
"""

from django.conf import settings
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from psycopg import sql

OWNER, APP, READONLY = "zone_owner", "zone_app", "zone_readonly"
LEDGER_SCHEMA = "ledger"
# The app only ever reads these; the owner's commands write them.
READ_ONLY_TABLES = ("django_migrations",)


class NoRightToMakeRoles(Exception):
    """The connected role may neither make roles nor find them made."""


def setup_roles(*, app_login: str) -> None:
    """Make the roles and give each its rights on everything that exists and will be made.

    `app_login` is the role that web and worker connect as; it becomes a member of the app role.
    Safe to repeat, and needed again after a migration that adds a schema.

    Raises NoRightToMakeRoles; then nothing has changed.
    """
    try:
        with transaction.atomic():
            _make_roles(app_login)
            _grant_public()
            if _has_schema(LEDGER_SCHEMA):
                _grant_ledger()
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", "") != "42501":  # insufficient_privilege
            raise
        raise NoRightToMakeRoles(str(error).strip()) from error


def _make_roles(app_login: str) -> None:
    for role in (OWNER, APP, READONLY):
        if not _find("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
            _run("CREATE ROLE {role} NOLOGIN", role=role)
    is_login_apart = app_login not in {APP, _current_role()}
    if is_login_apart and _find("SELECT 1 FROM pg_roles WHERE rolname = %s", app_login):
        _run("GRANT {app} TO {login}", app=APP, login=app_login)
    if not _find("SELECT 1 WHERE pg_has_role(current_user, %s, 'MEMBER')", APP):
        _run("GRANT {app} TO {login}", app=APP, login=_current_role())


def _grant_public() -> None:
    _run("REVOKE CREATE ON SCHEMA public FROM PUBLIC, {app}, {readonly}")
    _run("GRANT USAGE ON SCHEMA public TO {app}, {readonly}")
    for prefix in ("GRANT", "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT"):
        everything = "ALL {} IN SCHEMA public" if prefix == "GRANT" else "{}"
        tables, sequences = everything.format("TABLES"), everything.format("SEQUENCES")
        _run(f"{prefix} SELECT, INSERT, UPDATE, DELETE ON {tables} TO {{app}}")
        _run(f"{prefix} USAGE, SELECT ON {sequences} TO {{app}}")
        _run(f"{prefix} SELECT ON {tables} TO {{readonly}}")
    for table in READ_ONLY_TABLES:
        _revoke("INSERT, UPDATE, DELETE", table)
    for table in settings.ZONE_APPEND_ONLY_TABLES:
        _revoke("UPDATE, DELETE", table)


def _grant_ledger() -> None:
    """Tables are read, functions are called; nothing else, also for what is made later."""
    _run("REVOKE ALL ON SCHEMA {ledger} FROM PUBLIC, {app}, {readonly}")
    _run("GRANT USAGE ON SCHEMA {ledger} TO {app}, {readonly}")
    _run("REVOKE ALL ON ALL TABLES IN SCHEMA {ledger} FROM PUBLIC, {app}, {readonly}")
    _run("GRANT SELECT ON ALL TABLES IN SCHEMA {ledger} TO {app}, {readonly}")
    _run("REVOKE ALL ON ALL SEQUENCES IN SCHEMA {ledger} FROM PUBLIC, {app}, {readonly}")
    # Every role may call a new function by default, and these write the journal.
    _run("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA {ledger} FROM PUBLIC, {readonly}")
    _run("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {ledger} TO {app}")
    default = "ALTER DEFAULT PRIVILEGES IN SCHEMA {ledger}"
    _run(f"{default} GRANT SELECT ON TABLES TO {{app}}, {{readonly}}")
    _run(f"{default} GRANT EXECUTE ON FUNCTIONS TO {{app}}")


def _revoke(rights: str, table: str) -> None:
    if _find("SELECT to_regclass(%s)", f"public.{table}"):
        _run(f"REVOKE {rights} ON public.{{table}} FROM {{app}}", table=table)


def _run(statement: str, **names: str) -> None:
    names = {"app": APP, "readonly": READONLY, "ledger": LEDGER_SCHEMA, **names}
    identifiers = {name: sql.Identifier(value) for name, value in names.items()}
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**identifiers))


def _find(query: str, value: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, [value])
        row = cursor.fetchone()
    return row is not None and row[0] is not None


def _has_schema(name: str) -> bool:
    return _find("SELECT 1 FROM pg_namespace WHERE nspname = %s", name)


def _current_role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        role: str = cursor.fetchone()[0]
    return role
