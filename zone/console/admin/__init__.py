"""The console's own tables, and the tables of the packages it uses."""

from zone.console.admin import audit, operators, stuck

__all__ = ["audit", "operators", "stuck"]
