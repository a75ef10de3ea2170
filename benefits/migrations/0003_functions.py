from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"

DROP_GUARDS = """
DROP TRIGGER guard_benefit ON benefits_benefit;
DROP TRIGGER guard_release ON benefits_release;
DROP FUNCTION IF EXISTS benefits_guard_named_by_claims();
DROP TRIGGER guard_benefitterms ON benefits_benefitterms;
DROP TRIGGER guard_benefitevent ON benefits_benefitevent;
DROP TRIGGER guard_claimevent ON benefits_claimevent;
DROP FUNCTION IF EXISTS benefits_guard_append_only();
DROP TRIGGER guard_claim ON benefits_claim;
DROP FUNCTION IF EXISTS benefits_guard_claim();
"""
DROP_SLOTS = """
DROP FUNCTION IF EXISTS benefits_let_go(bigint, timestamptz);
DROP FUNCTION IF EXISTS benefits_valid_until(timestamptz, text, integer, timestamptz, date);
DROP FUNCTION IF EXISTS benefits_next_slot(bigint, uuid, timestamptz);
DROP FUNCTION IF EXISTS benefits_next_slot(bigint, bigint, uuid, timestamptz);
DROP FUNCTION IF EXISTS benefits_has_slot(bigint, bigint, timestamptz);
"""
DROP_TAKE = """
DROP FUNCTION IF EXISTS benefits_take_claim(
    bigint, bigint, uuid, text, text, smallint, smallint, bigint, text, jsonb);
DROP FUNCTION IF EXISTS benefits_take_claim(
    bigint, bigint, uuid, text, text, smallint, smallint, bigint, text, jsonb, integer);
"""
DROP_WORKERS = """
DROP FUNCTION IF EXISTS benefits_expire_claims(integer, text);
DROP FUNCTION IF EXISTS benefits_lease_claims(integer, interval);
"""
RESET_STORAGE = """
ALTER TABLE benefits_claim RESET (fillfactor);
ALTER TABLE benefits_slotcounter RESET (fillfactor, autovacuum_vacuum_cost_delay);
"""


class Migration(migrations.Migration):
    dependencies = [("benefits", "0002_returned_slot_end"), ("core", "0001_clock")]
    operations = [
        run_sql_file(SQL / "storage.sql", RESET_STORAGE),
        run_sql_file(SQL / "slots.sql", DROP_SLOTS),
        run_sql_file(SQL / "take_result.sql", "DROP TYPE benefits_take;"),
        run_sql_file(SQL / "take_claim.sql", DROP_TAKE),
        run_sql_file(SQL / "workers.sql", DROP_WORKERS),
        run_sql_file(SQL / "guards.sql", DROP_GUARDS),
    ]
