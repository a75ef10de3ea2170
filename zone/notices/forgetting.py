"""What a member was told goes with the member."""

from collections.abc import Collection

from zone.members.models import Erasure
from zone.members.services.erasures import forget_in_room, is_forgotten_elsewhere
from zone.notices.models import Notice

ROOM = "notices"


def forget_members() -> int:
    """Nothing is left in the inbox of whoever is forgotten. Says how many were."""
    return forget_in_room(ROOM, _forget)


def _forget(erasure: Erasure) -> bool:
    """Last of all rooms: what the others end may still write a notice."""
    if not is_forgotten_elsewhere(erasure, ROOM):
        return False
    Notice.objects.filter(member_id=erasure.member_id).delete()
    return True


def blank_facts(*, member_id: int, dedupe_keys: Collection[str], names: Collection[str]) -> None:
    """These notices of `member_id` no longer say these facts: they named somebody else."""
    for notice in Notice.objects.filter(member_id=member_id, dedupe_key__in=list(dedupe_keys)):
        facts = notice.facts | {name: "" for name in names if name in notice.facts}
        Notice.objects.filter(pk=notice.pk).update(facts=facts)
