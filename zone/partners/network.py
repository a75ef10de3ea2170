"""Where a call comes from."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def source_address(request: HttpRequest) -> str:
    """The caller's address as the outermost of our own proxies saw it.

    With `PROXY_COUNT` proxies of ours, the n-th entry from the right of X-Forwarded-For is theirs;
    anything further left was written by the caller and is not believed.
    """
    direct: str = request.META.get("REMOTE_ADDR", "")
    count: int = settings.AXES_IPWARE_PROXY_COUNT
    if count == 0:
        return direct
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    return hops[-count] if len(hops) >= count else direct


def is_inside(address: str, networks: list[str]) -> bool:
    """Whether `address` lies in one of `networks`; an unreadable address lies in none."""
    try:
        source = ip_address(address)
    except ValueError:
        return False
    source = getattr(source, "ipv4_mapped", None) or source
    return any(source in ip_network(network) for network in networks)
