from django.conf import settings
from django.urls import include, path

from zone.members.views import bind, policies, privacy, wallet, welcome

app_name = "members"
urlpatterns = [
    path("welcome", welcome.welcome, name="welcome"),
    path("welcome/leave", welcome.leave, name="welcome_leave"),
    path("welcome/return", welcome.come_back, name="welcome_return"),
    path("welcome/done", welcome.done, name="welcome_done"),
    path("terms", policies.terms, name="terms"),
    path("privacy", policies.privacy, name="privacy"),
    path("sign-out", welcome.sign_out, name="sign_out"),
    path("bind", bind.guide, name="bind"),
    path("bind/seen", bind.seen, name="bind_seen"),
    path("bind/leave", bind.leave, name="bind_leave"),
    path("bind/return", bind.come_back, name="bind_return"),
    path("bind/status", bind.status, name="bind_status"),
    path("bind/cancel", bind.cancel, name="bind_cancel"),
    path("bind/done", bind.done, name="bind_done"),
    path("me/wallet", wallet.wallet, name="wallet"),
    path("me/wallet/unbind", wallet.unbind, name="unbind"),
    path("me/privacy", privacy.privacy_page, name="my_privacy"),
    path("me/privacy/consent", privacy.set_consent, name="consent"),
    path("me/privacy/erase", privacy.erase, name="erase"),
    path("me/privacy/erase/cancel", privacy.cancel, name="erase_cancel"),
    path("me/on-hold", privacy.on_hold, name="on_hold"),
    path("me/devices", wallet.devices, name="devices"),
    path("me/devices/others/end", wallet.end_other_devices, name="devices_end_others"),
    path("me/devices/<int:session_id>/end", wallet.end_device, name="device_end"),
]
if settings.ZONE_SANDBOX:
    urlpatterns += [path("sandbox/wallet/<str:code>/", include("zone.members.sandbox.urls"))]
