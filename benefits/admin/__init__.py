from benefits.admin import benefit, claim, code, provider, release

__all__ = ["benefit", "claim", "code", "provider", "release"]
