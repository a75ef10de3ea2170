from django.urls import path

from zone.pages.views import app, home, me, preferences

app_name = "pages"
urlpatterns = [
    path("", home.home, name="home"),
    path("me", me.me, name="me"),
    path("settings", me.settings_page, name="settings"),
    path("settings/language", preferences.set_language, name="set_language"),
    path("settings/theme", preferences.set_theme, name="set_theme"),
    path("manifest.webmanifest", app.manifest, name="manifest"),
    path("sw.js", app.service_worker, name="service_worker"),
    path("offline", app.offline, name="offline"),
    path("favicon.ico", app.favicon, name="favicon"),
]
