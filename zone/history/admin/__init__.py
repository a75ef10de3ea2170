from zone.history.admin import intake, money, subscription  # noqa: F401
