from django.urls import path

from zone.members.sandbox import views

app_name = "sandbox"
urlpatterns = [
    path("authorise", views.authorise, name="authorise"),
    path("person", views.choose_person, name="person"),
    path("answer", views.answer, name="answer"),
    path("account", views.account, name="account"),
    path("account/agreement", views.change_agreement, name="agreement"),
    path("account/unbinding", views.change_unbinding, name="unbinding"),
    path("leave", views.leave, name="leave"),
]
