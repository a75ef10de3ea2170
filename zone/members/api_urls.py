"""This room's part of /api/v1."""

from django.urls import path

from zone.members import api
from zone.partners.resources import resource

urlpatterns = [
    path("members", resource(get=api.list_members)),
    path("members/<str:member_id>", resource(get=api.get_member)),
    path("members/<str:member_id>/erase", resource(post=api.erase_member)),
]
