from benefits.admin import (
    alarm,
    benefit,
    bulk,
    claim,
    code,
    code_import,
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
    "code_import",
    "gift",
    "limit",
    "provider",
    "release",
    "segment",
    "trial",
]
