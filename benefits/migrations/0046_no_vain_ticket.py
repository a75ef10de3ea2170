from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """No ticket is sold from the moment on from which nobody can have the prize."""

    dependencies = [("benefits", "0045_draw_tickets")]

    operations = [run_sql_file(SQL / "tickets.sql")]
