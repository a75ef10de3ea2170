"""A member's trials as their pages show them."""

from benefits.models import Claim, Trial
from zone.members.models import Member

PAGE_ROWS_MAX = 50


def list_trials(member: Member) -> list[Trial]:
    """Running ones by first charge, then closed ones, newest first."""
    trials = list(
        Trial.objects.filter(member=member)
        .select_related("claim__benefit")
        .prefetch_related("claim__benefit__texts")
        .order_by("-id")[:PAGE_ROWS_MAX]
    )
    running = [trial for trial in trials if trial.state == Trial.State.RUNNING]
    closed = [trial for trial in trials if trial.state != Trial.State.RUNNING]
    return sorted(running, key=lambda trial: trial.first_charge_at) + closed


def find_trial(claim: Claim) -> Trial | None:
    return Trial.objects.filter(claim=claim).first()
