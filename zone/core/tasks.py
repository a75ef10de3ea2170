"""Work of the whole product, not of one room."""

from celery import shared_task

from zone.core.heartbeat import give_heartbeat


@shared_task(expires=15, time_limit=20, soft_time_limit=10)
def beat_heart() -> None:
    give_heartbeat()
