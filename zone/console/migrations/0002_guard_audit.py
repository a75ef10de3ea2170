"""The audit log refuses everything but new rows, numbers them without gaps, and chains them."""

from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

_SQL = Path(__file__).resolve().parent.parent / "sql" / "audit.sql"
_REVERSE = """
DROP TRIGGER console_auditevent_chain ON console_auditevent;
DROP TRIGGER console_auditevent_append_only ON console_auditevent;
DROP TRIGGER console_auditevent_never_empty ON console_auditevent;
DROP FUNCTION console_audit_breaks();
DROP FUNCTION console_audit_chain();
DROP FUNCTION console_audit_refuse();
DROP FUNCTION console_audit_digest(console_auditevent);
"""


class Migration(migrations.Migration):
    dependencies = [("console", "0001_first")]
    operations = [run_sql_file(_SQL, reverse=_REVERSE)]
