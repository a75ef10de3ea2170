"""Every error code has a page that says what it means."""

from django.urls import path

from zone.partners import views

app_name = "partners"
urlpatterns = [
    path("problems", views.list_problems, name="problems"),
    path("problems/<slug:code>", views.show_problem, name="problem"),
]
