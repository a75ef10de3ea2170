from django.urls import path

from benefits.views import catalogue, claiming, mine

app_name = "benefits"
urlpatterns = [
    path("benefits", catalogue.catalogue, name="catalogue"),
    path("benefits/<slug:slug>", catalogue.detail, name="detail"),
    path("benefits/<slug:slug>/claim", claiming.claim, name="claim"),
    path("me/benefits", mine.mine, name="mine"),
    path("me/benefits/<str:public_id>", mine.claim_page, name="claim_page"),
    path("me/benefits/<str:public_id>/status", mine.status, name="status"),
    path("me/benefits/<str:public_id>/reveal", mine.reveal, name="reveal"),
]
