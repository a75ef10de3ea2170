from django.urls import path

from zone.history.views import activity, subscriptions

app_name = "history"
urlpatterns = [
    path("activity", activity.activity, name="activity"),
    path("activity/export", activity.export, name="export"),
    path("activity/<str:public_id>", activity.receipt, name="receipt"),
    path("subscriptions", subscriptions.subscriptions, name="subscriptions"),
    path("subscriptions/<str:public_id>", subscriptions.subscription, name="subscription"),
]
