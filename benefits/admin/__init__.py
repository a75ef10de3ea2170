from benefits.admin import benefit, claim, code, gift, limit, provider, release, segment

__all__ = ["benefit", "claim", "code", "gift", "limit", "provider", "release", "segment"]
