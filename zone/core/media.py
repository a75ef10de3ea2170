"""Pictures that operators uploaded or we drew. A proxy may serve the folder itself instead."""

import mimetypes
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from django.views.static import serve

# What the picture service writes; anything else in the folder is nobody's business.
_TYPES = {".avif": "image/avif", ".webp": "image/webp", ".jpeg": "image/jpeg"}
for _ending, _type in _TYPES.items():
    mimetypes.add_type(_type, _ending)
# A rendition's name carries its content's hash, so it never changes under its name.
_CACHE = "public, max-age=31536000, immutable"


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """One rendition, for good. Raises Http404 for what is no picture of ours."""
    if not path.endswith(tuple(_TYPES)):
        raise Http404
    response: Any = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    response["Cache-Control"] = _CACHE
    return response  # type: ignore[no-any-return]
