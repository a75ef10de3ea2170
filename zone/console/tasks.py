"""The console's own work in the background."""

from celery import shared_task
from celery.schedules import crontab

from zone.celery import app
from zone.console.services import books


@shared_task(name="console.request_nightly_check", expires=3600)
def request_nightly_check() -> None:
    books.request_check(requested_by="worker")


@shared_task(name="console.run_open_check", expires=60, time_limit=1200, soft_time_limit=1140)
def run_open_check() -> None:
    books.run_open_check()


app.conf.beat_schedule = {
    **(app.conf.beat_schedule or {}),
    "console-nightly-check": {
        "task": "console.request_nightly_check",
        "schedule": crontab(hour=18, minute=40),  # 02:40 in the markets' zones
    },
    "console-open-check": {"task": "console.run_open_check", "schedule": 15.0},
}
