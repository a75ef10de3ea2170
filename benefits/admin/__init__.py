from benefits.admin import benefit, claim, code, gift, provider, release

__all__ = ["benefit", "claim", "code", "gift", "provider", "release"]
