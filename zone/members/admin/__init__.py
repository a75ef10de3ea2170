"""This room's tables in the console."""

from zone.members.admin import binding, member, wallet

__all__ = ["binding", "member", "wallet"]
