"""This room's work in the background."""

from celery import shared_task

from zone.notices import announcing, arrivals, forgetting


@shared_task(expires=55, time_limit=50, soft_time_limit=45)
def welcome_arrivals() -> None:
    """Greet everybody who signed in for the first time since the last look."""
    arrivals.welcome_arrivals()


@shared_task(expires=300, time_limit=290, soft_time_limit=280)
def forget_members() -> None:
    """Empty the inboxes of those who are forgotten."""
    forgetting.forget_members()


@shared_task(expires=60, time_limit=290, soft_time_limit=280)
def send_announcements() -> None:
    """Tell members what operators announce."""
    while announcing.send_announcements():
        pass
