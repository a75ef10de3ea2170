"""What the watch over the seals has found: nobody edits it."""

from django.contrib import admin

from credits.models import SealFinding
from zone.members.admin.base import ReadOnlyAdmin


@admin.register(SealFinding)
class SealFindingAdmin(ReadOnlyAdmin):
    list_display = ["block", "what", "member_id", "op_id", "found_at"]
    list_filter = ["what"]
