"""Sealing: the canonical bytes, the leaves of a block, and the function that seals."""

from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
REVERSE = """
    DROP FUNCTION ledger.summarize_closed, ledger.seal_next;
    DROP TABLE ledger.brin_mark, ledger.seal_leaf;
    DROP INDEX ledger.seal_tx_hi;
    DROP FUNCTION ledger.seal_root, ledger.tree_root, ledger.leaf_of;
    DROP FUNCTION ledger.microseconds, ledger.field;
"""


class Migration(migrations.Migration):
    dependencies = [("credits", "0010_pending")]
    operations = [
        run_sql_file(SQL / "seals.sql", reverse=REVERSE),
        run_sql_file(SQL / "seal_next.sql"),
    ]
