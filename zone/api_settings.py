"""How the partner API stands on DRF and drf-spectacular: values that no environment changes."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["zone.partners.authentication.PartnerTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["zone.partners.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["zone.partners.parsing.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "zone.partners.schema.ZoneAutoSchema",
    "EXCEPTION_HANDLER": "zone.partners.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Apple Zone partner API",
    "VERSION": "2026-11-01",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "The contract between Apple Zone and its partners.",
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["zone.partners.schema.finish"],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer"},
            "key": {"type": "http", "scheme": "basic"},
        }
    },
}
