from django.urls import path

from zone.pages.views import preferences

app_name = "pages"
urlpatterns = [
    path("settings/language", preferences.set_language, name="set_language"),
    path("settings/theme", preferences.set_theme, name="set_theme"),
]
