"""The partner room in the background."""

from celery import shared_task

from zone.partners.services.sweeps import sweep_records


@shared_task(name="partners.sweep_records", expires=600, time_limit=300, soft_time_limit=240)
def sweep() -> None:
    """Forget what has had its time."""
    sweep_records()
