from benefits.admin import (
    alarm,
    benefit,
    bulk,
    claim,
    code,
    gift,
    limit,
    provider,
    release,
    segment,
    trial,
)

__all__ = [
    "alarm",
    "benefit",
    "bulk",
    "claim",
    "code",
    "gift",
    "limit",
    "provider",
    "release",
    "segment",
    "trial",
]
