"""Promises of what is kept beside the journal: sums by month, and files of corrections."""

from credits.verify_base import Invariant

KEPT_INVARIANTS: list[Invariant] = [
    Invariant(
        "I38",
        "the months that the liability is read from are what the journal moved",
        """
        SELECT month, wallet, bucket, kind, counter, f.amount, e.amount
        FROM ledger.month_flow f
        FULL JOIN ledger.flows(0, (SELECT tx_hi FROM ledger.flow_mark)) e
            USING (month, wallet, bucket, kind, counter)
        WHERE (f.amount, f.move_count) IS DISTINCT FROM (e.amount, e.move_count)
        """,
    ),
    Invariant(
        "I39",
        "a row of an adjustment file is applied exactly when its entry stands in the journal",
        """
        SELECT r.batch_id, r.line
        FROM credits_adjustrow r
        JOIN credits_adjustbatch b ON b.id = r.batch_id
        LEFT JOIN ledger.entry e ON e.member_id = r.member_id AND e.op_id = r.op_id
        WHERE (r.status = 'applied') <> (e.op_id IS NOT NULL)
           OR (r.status = 'applied' AND (e.kind, e.available_change - e.debt_change, e.related)
               IS DISTINCT FROM (9::smallint, r.amount, b.public_id::text))
        """,
    ),
]
