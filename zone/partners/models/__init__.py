from zone.partners.models.call import IdempotencyRecord, PartnerReference, RateWindow
from zone.partners.models.event import Event
from zone.partners.models.partner import AccessToken, Partner, PartnerKey, PartnerSigningKey

__all__ = [
    "AccessToken",
    "Event",
    "IdempotencyRecord",
    "Partner",
    "PartnerKey",
    "PartnerReference",
    "PartnerSigningKey",
    "RateWindow",
]
