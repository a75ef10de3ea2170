from tests.api.conftest import caller, partner, rival
from tests.partners.hook_fixtures import authority, names, receiver

__all__ = ["authority", "caller", "names", "partner", "receiver", "rival"]
