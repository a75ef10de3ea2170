"""What every page's frame needs."""

from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from zone.members.models import Member
from zone.notices.queries import count_unread

THEME_COOKIE_NAME = "zone_theme"
THEMES = ("light", "dark")


def shell(request: HttpRequest) -> dict[str, object]:
    """The signed-in member for the frame; None on open pages and for operators.

    The unread count is asked for only by pages that show a bell.
    """
    member: Member | None = getattr(request, "member", None)
    session = getattr(request, "member_session", None)
    theme = request.COOKIES.get(THEME_COOKIE_NAME, "")
    return {
        "member": member,
        "member_initial": member_initial(member) if member else "",
        "unread": SimpleLazyObject(partial(count_unread, member.pk)) if member else 0,
        "is_in_wallet": session is not None and session.host != "browser",
        "theme": theme if theme in THEMES else "",
        "languages": settings.LANGUAGES,
    }


def member_initial(member: Member) -> str:
    """The one letter on the avatar; a dot when the wallet told no name."""
    return member.display_name[:1].upper() or "·"
