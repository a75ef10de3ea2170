from celery import shared_task

from zone.history.services import forgetting, linking, months


@shared_task(expires=240, time_limit=240, soft_time_limit=200)
def link_waiting_history() -> None:
    linking.link_waiting()


@shared_task(expires=3600, time_limit=240, soft_time_limit=200)
def purge_unlinked_messages() -> None:
    linking.purge_unlinked()


@shared_task(expires=3600, time_limit=120, soft_time_limit=100)
def ensure_history_months() -> None:
    months.ensure_months_ahead()


@shared_task(expires=300, time_limit=290, soft_time_limit=280)
def forget_members() -> None:
    """Forget what members bought who are forgotten."""
    forgetting.forget_members()
