from django.urls import path

from zone.notices import views

app_name = "notices"
urlpatterns = [
    path("inbox", views.inbox, name="inbox"),
    path("inbox/read", views.mark_all_read, name="mark_all_read"),
    path("inbox/<str:public_id>", views.open_notice, name="open"),
]
