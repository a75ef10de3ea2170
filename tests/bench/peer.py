"""django-hordak on this machine: transfers a second between its accounts.

    PYTHON_OF_THE_PEER tests/bench/peer.py DATABASE_URL CLIENTS SECONDS

Runs in an environment of its own (requirements/bench.txt) and knows nothing of the product. The
database must be empty. It says "ready" when its tables are there, waits for a line, and answers with
one number.
"""

import multiprocessing
import random
import sys
import time
from urllib.parse import parse_qsl, unquote, urlsplit

ACCOUNTS = 100  # its triggers read all account codes when one is added


def configure(url: str) -> None:
    import django
    from django.conf import settings

    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    settings.configure(
        SECRET_KEY="peer",
        INSTALLED_APPS=["django.contrib.contenttypes", "mptt", "hordak"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": unquote(parts.path.strip("/")),
                "USER": unquote(parts.username or ""),
                "PASSWORD": unquote(parts.password or ""),
                "HOST": query.get("host") or parts.hostname or "",
                "PORT": str(parts.port or ""),
            }
        },
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


def transfer(accounts: list[int], seconds: float, seed: int, counts) -> None:  # type: ignore[no-untyped-def]
    from hordak.models import Account
    from moneyed import Money

    dice = random.Random(seed)
    known = {account.pk: account for account in Account.objects.filter(pk__in=accounts)}
    counts.put(0)  # Ready.
    deadline, done = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        one, other = dice.sample(accounts, 2)
        known[one].transfer_to(known[other], Money(1, "EUR"))
        done += 1
    counts.put(done)


def main() -> None:
    url, clients, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    configure(url)
    from django.core.management import call_command
    from django.db import connection
    from hordak.models import Account

    call_command("migrate", verbosity=0)
    accounts = [
        Account.objects.create(name=str(n), code=f"{n:03}", type="LI", currencies=["EUR"]).pk
        for n in range(ACCOUNTS)
    ]
    connection.close()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if not sys.stdin.readline():
        return
    context = multiprocessing.get_context("fork")
    counts = context.Queue()
    workers = [
        context.Process(target=transfer, args=(accounts, seconds, seed, counts))
        for seed in range(clients)
    ]
    for worker in workers:
        worker.start()
    done = sum(counts.get() for _ in range(2 * clients))
    for worker in workers:
        worker.join()
    sys.stdout.write(f"{done / seconds}\n")


if __name__ == "__main__":
    main()
