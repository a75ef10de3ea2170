"""One client of the ledger that never gives up, and writes down what it asked and what it heard.

    python -m tests.faults.ledger_client JOURNAL STOP SEED MEMBER...

Each line of the journal is an order, or the answer to the order before it. An order is written
before it is sent, so that whoever starts after a kill sends the same operation again. The file
named STOP says: answer what is open, then end.
"""

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

import django

django.setup()

from django.db import Error, connection, connections  # noqa: E402

from credits import errors, ledger  # noqa: E402
from zone.core.ids import uuid7  # noqa: E402

PAUSE_SECONDS = 0.02
# The control's careless client: a retry is a new operation.
IS_CARELESS = bool(os.environ.get("LEDGER_CLIENT_IS_CARELESS"))


def call(order: dict[str, Any]) -> ledger.Result:
    """Do what an order says; the same order makes the same call."""
    verb, member, op = order["verb"], order["member"], UUID(order["op"])
    if verb in ("capture", "void"):
        return getattr(ledger, verb)(member_id=member, hold_op=UUID(order["orig"]), op_id=op)
    more = {"orig_op": UUID(order["orig"])} if verb in ("refund", "clawback") else {}
    return getattr(ledger, verb)(
        member_id=member, op_id=op, amount=order["amount"], related=order["related"], **more
    )


def told(order: dict[str, Any]) -> list[Any]:
    """The answer in words that a file can hold; a refusal is an answer too."""
    try:
        r = call(order)
    except errors.LedgerBusy:
        raise
    except errors.LedgerError as refusal:
        return ["refused", refusal.code]
    return ["ok", r.amount, r.available, r.held, r.debt, r.seq, r.posted_at.isoformat()]


def answer(order: dict[str, Any], file: TextIO) -> list[Any]:
    """Ask until there is an answer, whatever breaks in between."""
    while True:
        try:
            return told(order)
        except (errors.LedgerBusy, Error):
            connections.close_all()
            time.sleep(PAUSE_SECONDS)
            if IS_CARELESS:
                order["op"] = str(uuid7())
                file.write(json.dumps(order) + "\n")


def draw(dice: random.Random, members: list[int], done: dict[str, list[Any]], name: str) -> Any:
    """The next order: mostly credits in and out, at times undoing what was done before."""
    verb = dice.choice(["earn", "spend", "hold", "capture", "void", "refund", "clawback", "earn"])
    amount = dice.randint(1, 20)
    before = {"capture": "hold", "void": "hold", "refund": "spend", "clawback": "earn"}.get(verb)
    order = {"verb": verb, "amount": amount, "op": str(uuid7()), "related": name}
    if before is None:
        return {**order, "member": dice.choice(members)}
    if not done[before]:
        return {**order, "verb": "earn", "member": dice.choice(members)}
    orig = done[before].pop(dice.randrange(len(done[before])))
    return {**order, "member": orig["member"], "orig": orig["op"], "amount": orig["amount"]}


def main() -> None:
    journal, stop, seed = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    members = [int(key) for key in sys.argv[4:]]
    connections.settings["default"]["OPTIONS"]["pool"] = (
        False  # It would wait before it reconnects.
    )
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    orders = [line for line in lines if isinstance(line, dict)]
    dice = random.Random(f"{seed}/{len(orders)}")
    done: dict[str, list[Any]] = {"earn": [], "spend": [], "hold": []}
    with journal.open("a", buffering=1) as file:
        open_order = lines[-1] if lines and isinstance(lines[-1], dict) else None
        while open_order or not stop.exists():
            if open_order:
                order, open_order = open_order, None
            else:
                order = draw(dice, members, done, f"{seed}-{len(orders)}")
                orders.append(order)
                file.write(json.dumps(order) + "\n")
            said = answer(order, file)
            if said[0] == "ok" and order["verb"] in done:
                done[order["verb"]].append(order)
            file.write(json.dumps(said) + "\n")
    connection.close()


if __name__ == "__main__":
    main()
