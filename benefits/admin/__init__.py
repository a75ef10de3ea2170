from benefits.admin import benefit, claim, code, gift, limit, provider, release, segment, trial

__all__ = ["benefit", "claim", "code", "gift", "limit", "provider", "release", "segment", "trial"]
