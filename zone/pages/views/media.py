"""Pictures that operators uploaded, cut into sizes by us and named by their content."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe
from django.views.static import serve

from zone.members.access import open_to_all

_PICTURES = (".avif", ".webp", ".jpeg")
_YEAR_SECONDS = 365 * 24 * 3600


@open_to_all
@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """One rendition, kept by browsers for good: another picture has another name.

    Only what our own cutting writes is answered. A proxy or CDN in front may serve the same folder
    and spare us the request.
    """
    if not path.endswith(_PICTURES):
        raise Http404
    response = serve(request, path, document_root=settings.MEDIA_ROOT)
    response["Cache-Control"] = f"public, max-age={_YEAR_SECONDS}, immutable"
    return response
