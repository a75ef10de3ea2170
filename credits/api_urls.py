"""This room's part of /api/v1."""

from django.urls import path

from credits import api
from zone.partners.resources import resource

urlpatterns = [
    path("members/<str:member_id>/credits", resource(get=api.get_credits)),
    path("credit_entries", resource(get=api.list_credit_entries)),
    path("credit_entries/<str:entry_id>", resource(get=api.get_credit_entry)),
]
