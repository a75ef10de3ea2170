"""What every page's frame needs."""

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, object]:
    """The signed-in member for the frame; None on open pages and for operators."""
    return {"member": getattr(request, "member", None)}
