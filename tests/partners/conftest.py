from tests.api.conftest import caller, partner, rival

__all__ = ["caller", "partner", "rival"]
