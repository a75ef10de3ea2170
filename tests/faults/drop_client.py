"""One client of a drop that never gives up: the same operations again, until each has an answer.

    python -m tests.faults.drop_client RELEASE SEED MEMBER:OPERATION...

Each answer is a line of its own, written when it was heard: `won MEMBER CLAIM` or `gone MEMBER`.
Whoever starts it again after a kill gives it the same operations.
"""

import random
import sys
import time
from uuid import UUID

import django

django.setup()

from django.db import Error, connection  # noqa: E402

from benefits.errors import SoldOut  # noqa: E402
from benefits.models import Release  # noqa: E402
from benefits.services.claims import claim_benefit  # noqa: E402
from zone.core.clock import database_now  # noqa: E402
from zone.core.errors import Unavailable  # noqa: E402
from zone.members.models import Member  # noqa: E402

PAUSE_SECONDS = 0.02


def ask(member_id: int, op_id: UUID, release_id: str) -> str:
    """Ask until there is an answer, whatever breaks in between."""
    while True:
        try:
            release = Release.objects.select_related("benefit").get(public_id=release_id)
            member = Member.objects.get(pk=member_id)
            made = claim_benefit(member=member, release=release, op_id=op_id, now=database_now())
        except SoldOut:
            return f"gone {member_id}"
        except (Error, Unavailable):
            connection.close()
            time.sleep(PAUSE_SECONDS)
        else:
            return f"won {member_id} {made.public_id}"


def main() -> None:
    release_id, seed, *orders = sys.argv[1:]
    random.Random(int(seed)).shuffle(orders)
    for order in orders:
        member_id, op_id = order.split(":")
        sys.stdout.write(ask(int(member_id), UUID(op_id), release_id) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
