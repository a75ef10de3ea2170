"""One clock for every decision in SQL: `zone_now()`."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            # A test travels in time by `SET zone.clock_offset` on its session, or for every
            # process by `ALTER DATABASE ... SET zone.clock_offset`. Unset, it costs nothing.
            sql="""
            CREATE FUNCTION zone_now() RETURNS timestamptz
            LANGUAGE sql VOLATILE PARALLEL SAFE
            AS $$
                SELECT clock_timestamp()
                     + coalesce(nullif(current_setting('zone.clock_offset', true), ''), '0')::interval
            $$;
            """,
            reverse_sql="DROP FUNCTION zone_now()",
        )
    ]
