"""The partner room in the background."""

from celery import shared_task

from zone.partners.services import deliveries
from zone.partners.services.letters import write_to_contacts
from zone.partners.services.planning import DRAIN_TASK
from zone.partners.services.sweeps import sweep_records


@shared_task(name="partners.sweep_records", expires=600, time_limit=300, soft_time_limit=240)
def sweep() -> None:
    """Forget what has had its time."""
    sweep_records()


@shared_task(name=DRAIN_TASK, expires=60, time_limit=110, soft_time_limit=90)
def deliver_webhooks() -> None:
    """Send partners what is due at their endpoints."""
    deliveries.deliver_webhooks()


@shared_task(name="partners.write_to_contacts", expires=300, time_limit=110, soft_time_limit=90)
def write_letters() -> None:
    """Tell partners' contacts which of their endpoints were shut."""
    write_to_contacts()
