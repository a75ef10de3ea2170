"""What pgbench is told to do with the ledger: one verb a transaction, members drawn at random."""

BATCH = 200
# A new operation id costs the caller's process next to nothing, so it may cost little here.
HELPER = """
    CREATE FUNCTION bench_op(p_dice int) RETURNS uuid LANGUAGE sql VOLATILE AS $$
        SELECT (
            lpad(to_hex((date_part('epoch', clock_timestamp()) * 1000)::bigint), 12, '0')
            || '7' || lpad(to_hex(p_dice & 4095), 3, '0') || '8abcdef0' || lpad(to_hex(p_dice), 8, '0')
        )::uuid
    $$
"""
_DRAW = "\\set m random({first}, {last})\n\\set dice random(0, 2000000000)\n"
SPEND = _DRAW + "SELECT * FROM ledger.spend(:m, bench_op(:dice), 1, 30::smallint, '', '');\n"
EARN = (
    _DRAW
    + "SELECT * FROM ledger.earn("
    + ":m, bench_op(:dice), 1, NULL, 0::smallint, 10::smallint, '', '', NULL);\n"
)
HOLD_AND_CAPTURE = (
    _DRAW
    + "\\set other random(0, 2000000000)\n"
    + "SELECT op_id AS hold FROM ledger.hold(:m, bench_op(:dice), 1, 30::smallint, '', '') \\gset\n"
    + "SELECT * FROM ledger.capture(:m, (:hold)::uuid, bench_op(:other), NULL);\n"
)
# Divides by zero, and so fails the run, unless every earn of the batch was posted.
EARN_BATCH = f"""
SELECT 1 / (count(*) = {BATCH})::int
FROM (
    SELECT array_agg(m) AS members, array_agg(bench_op((random() * 2000000000)::int)) AS ops
    FROM (
        SELECT ({{first}} + floor(random() * ({{last}} - {{first}} + 1)))::bigint AS m
        FROM generate_series(1, {BATCH})
    ) drawn
) a, ledger.earn_batch(
    a.members, a.ops, array_fill(1, '{{{{{BATCH}}}}}'), array_fill(NULL::date, '{{{{{BATCH}}}}}'),
    array_fill(0::smallint, '{{{{{BATCH}}}}}'), array_fill(10::smallint, '{{{{{BATCH}}}}}'),
    array_fill(''::text, '{{{{{BATCH}}}}}'), array_fill(''::text, '{{{{{BATCH}}}}}'),
    array_fill(NULL::timestamptz, '{{{{{BATCH}}}}}'), array_fill(NULL::timestamptz, '{{{{{BATCH}}}}}')
) earned
WHERE earned.code = 'ok';
"""
