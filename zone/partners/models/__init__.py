from zone.partners.ingest_clients import IngestClient
from zone.partners.models.call import IdempotencyRecord, PartnerReference, RateWindow
from zone.partners.models.event import Event
from zone.partners.models.partner import AccessToken, Partner, PartnerKey, PartnerSigningKey
from zone.partners.models.webhook import WebhookDelivery, WebhookEndpoint

__all__ = [
    "AccessToken",
    "Event",
    "IdempotencyRecord",
    "IngestClient",
    "Partner",
    "PartnerKey",
    "PartnerReference",
    "PartnerSigningKey",
    "RateWindow",
    "WebhookDelivery",
    "WebhookEndpoint",
]
