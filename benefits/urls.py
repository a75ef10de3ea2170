from django.urls import path

from benefits.views import (
    catalogue,
    claiming,
    gift_box,
    gift_new,
    gifts,
    mine,
    returning,
    trials,
    waiting,
)

app_name = "benefits"
urlpatterns = [
    path("benefits", catalogue.catalogue, name="catalogue"),
    path("benefits/<slug:slug>", catalogue.detail, name="detail"),
    path("benefits/<slug:slug>/claim", claiming.claim, name="claim"),
    path("benefits/<slug:slug>/wait", waiting.join, name="wait"),
    path("benefits/<slug:slug>/wait/leave", waiting.leave, name="wait_leave"),
    path("me/benefits", mine.mine, name="mine"),
    path("me/benefits/<str:public_id>", mine.claim_page, name="claim_page"),
    path("me/benefits/<str:public_id>/status", mine.status, name="status"),
    path("me/benefits/<str:public_id>/reveal", mine.reveal, name="reveal"),
    path("me/benefits/<str:public_id>/return", returning.return_page, name="return"),
    path("gifts", gifts.centre, name="gifts"),
    path("gifts/new", gift_new.compose, name="gift_new"),
    path("gifts/blocks/<int:block_id>/remove", gifts.unblock, name="gift_unblock"),
    path("gifts/<str:public_id>", gifts.gift_page, name="gift"),
    path("gifts/<str:public_id>/edit", gifts.edit, name="gift_edit"),
    path("gifts/<str:public_id>/recall", gifts.recall, name="gift_recall"),
    path("gifts/<str:public_id>/link", gifts.relink, name="gift_relink"),
    path("gifts/<str:public_id>/poster.png", gifts.poster, name="gift_poster"),
    path("gifts/<str:public_id>/accept", gifts.accept, name="gift_accept"),
    path("gifts/<str:public_id>/decline", gifts.decline, name="gift_decline"),
    path("gifts/<str:public_id>/block", gifts.block, name="gift_block"),
    path("gifts/<str:public_id>/thanks", gifts.thank, name="gift_thank"),
    path("trials", trials.trials, name="trials"),
    path("trials/<int:trial_id>/lead", trials.lead, name="trial_lead"),
    path("g/<str:token>", gift_box.box, name="box"),
]
