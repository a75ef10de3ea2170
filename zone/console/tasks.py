"""The console's own work in the background."""

from celery import shared_task

from zone.console.services import books


@shared_task(name="console.request_nightly_check", expires=3600)
def request_nightly_check() -> None:
    books.request_check(requested_by="worker")


@shared_task(name="console.run_open_check", expires=60, time_limit=1200, soft_time_limit=1140)
def run_open_check() -> None:
    books.run_open_check()
