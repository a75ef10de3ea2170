"""Which doors are open without a member, and where a person may be sent afterwards."""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

View = TypeVar("View", bound=Callable[..., object])

# These paths know their callers by something else than a member's cookie, or by nothing at all.
OTHER_DOORS = (
    "/api/",
    "/ingest/",
    "/console/",
    "/sandbox/",
    "/static/",
    "/media/",
    "/healthz",
    "/readyz",
)
_NEXT_LETTERS_MAX = 500


def open_to_all(view: View) -> View:
    """Mark a view that anyone may see; every other view asks for a signed-in member."""
    view.is_open_to_all = True  # type: ignore[attr-defined]
    return view


def open_to_frozen(view: View) -> View:
    """Mark a view that a frozen member may still post to: what protects them, and leaving."""
    view.is_open_to_frozen = True  # type: ignore[attr-defined]
    return view


def is_other_door(path: str) -> bool:
    """Whether `path` belongs to a door that does not ask for members."""
    return path.startswith(OTHER_DOORS)


def safe_next(request: HttpRequest, address: str | None, default: str = "/") -> str:
    """`address` when it is a path of this site, else `default`.

    Absolute addresses are refused even on our own host: a path is all we ever write.
    """
    if (
        address
        and len(address) <= _NEXT_LETTERS_MAX
        and address.startswith("/")
        and url_has_allowed_host_and_scheme(
            address, allowed_hosts=None, require_https=request.is_secure()
        )
        and not is_other_door(address)
    ):
        return address
    return default
