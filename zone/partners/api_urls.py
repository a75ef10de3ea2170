"""Tokens, events, webhooks and the description: the part of /api/v1 that belongs to no other room."""

from django.urls import path

from zone.partners import api, deliveries_api, events_api, oauth
from zone.partners import webhooks_api as hooks
from zone.partners.resources import OpenResource, resource

urlpatterns = [
    path("oauth/token", resource(oauth.OAuthResource, post=oauth.create_token)),
    path("oauth/revoke", resource(oauth.OAuthResource, post=oauth.revoke)),
    path("events", resource(get=events_api.list_events)),
    path("events/<str:event_id>", resource(get=events_api.get_event)),
    path("webhook_endpoints", resource(get=hooks.list_endpoints, post=hooks.create_endpoint)),
    path(
        "webhook_endpoints/<str:webhook_endpoint_id>",
        resource(get=hooks.get_endpoint, patch=hooks.change_endpoint, delete=hooks.delete_endpoint),
    ),
    path(
        "webhook_endpoints/<str:webhook_endpoint_id>/rotate", resource(post=hooks.rotate_endpoint)
    ),
    path("webhook_endpoints/<str:webhook_endpoint_id>/ping", resource(post=hooks.ping_endpoint)),
    path(
        "webhook_endpoints/<str:webhook_endpoint_id>/redeliver",
        resource(post=hooks.redeliver_range),
    ),
    path("webhook_deliveries", resource(get=deliveries_api.list_deliveries)),
    path("webhook_deliveries/<str:webhook_delivery_id>", resource(get=deliveries_api.get_delivery)),
    path(
        "webhook_deliveries/<str:webhook_delivery_id>/redeliver",
        resource(post=deliveries_api.redeliver),
    ),
    path("openapi.json", resource(OpenResource, get=api.get_description)),
]
