"""Tokens and the description: the part of /api/v1 that belongs to no other room."""

from django.urls import path

from zone.partners import api, events_api, oauth
from zone.partners.resources import OpenResource, resource

urlpatterns = [
    path("oauth/token", resource(oauth.OAuthResource, post=oauth.create_token)),
    path("oauth/revoke", resource(oauth.OAuthResource, post=oauth.revoke)),
    path("events", resource(get=events_api.list_events)),
    path("events/<str:event_id>", resource(get=events_api.get_event)),
    path("openapi.json", resource(OpenResource, get=api.get_description)),
]
