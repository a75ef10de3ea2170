"""Where nothing is ever sent, and receivers that behave badly."""

import time

import pytest

from tests.partners.receiver import NAME, Receiver
from zone.partners import outbound
from zone.partners.outbound import AddressRefused, is_public, post, read_address

REFUSED = [
    "https://127.0.0.1/",
    "https://localhost/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://[fd00::1]/",
    "https://[fe80::1%25lo]/",
    "https://10.0.0.8/",
    "https://100.64.0.1/",
    "https://192.0.2.1/",
    "https://0.0.0.0/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://user:pw@hooks.acme.example/",
    "https://hooks.acme.example@inner.example/",
    "https://127.0.0.1:22/",
    "https://１２７.０.０.１/",
    "https://127。0。0。1/",
    "https://8.8.8.8/",  # public, and yet a bare address
    "http://hooks.acme.example/",
    "gopher://hooks.acme.example/",
    "file:///etc/passwd",
    "https://hooks.acme.example:22/",
    "https://hooks.acme.example:99999/",
    "https://hooks.acme.example/#part",
    "https://hooks.acme.example/a b",
    "https://hooks.acme.example/\r\nHost: inner",
    "https://hooks.acme.example\\@inner.example/",
    "https://hooks.acme.example./",
    "https://-hooks.acme.example/",
    "https://hooks..example/",
    "https://unknown.example/",
    "https://" + "a" * 500 + ".example/",
    "https:///path",
    "",
]


@pytest.fixture
def public(names, settings):
    """Names lead to the open internet, and nothing inside counts as it."""
    settings.WEBHOOK_INNER_NETWORKS = []
    names.addresses[NAME] = ["93.184.215.14"]
    return names


@pytest.mark.parametrize("url", REFUSED)
def test_nothing_is_sent_there(public, url):
    with pytest.raises(AddressRefused):
        read_address(url)


def test_a_public_name_is_taken(public):
    target = read_address("https://Hooks.Acme.example:8443/in?x=1")
    assert (target.host, target.port, target.path) == (NAME, 8443, "/in?x=1")
    assert target.addresses == ("93.184.215.14",)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "192.0.2.1",  # noqa: S104 - it is refused
        "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "192.88.99.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "fe80::1",
        "fe80::1%lo", "fc00::1", "fd00:ec2::254", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::1",
        "2002:7f00:1::", "2001::1", "2001:db8::1", "100::1",
    ],
)  # fmt: skip
def test_an_address_on_the_inside(public, address):
    assert not is_public(address)
    public.addresses[NAME] = ["93.184.215.14", address]  # One of several is enough.
    with pytest.raises(AddressRefused) as refusal:
        read_address(f"https://{NAME}/")
    assert refusal.value.fault == "blocked_address"


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111"])
def test_an_address_outside(address):
    assert is_public(address)


def send(url, seconds=5.0):
    return post(url, body=b"{}", headers={"Content-Type": "application/json"}, seconds=seconds)


def test_what_was_checked_is_what_is_called(receiver, names, settings):
    """A name that leads elsewhere a moment later: the look that is judged is the one used."""
    assert send(receiver.url("/in")).status == 200
    assert names.asked == [NAME]  # Nobody looked it up a second time.
    settings.WEBHOOK_INNER_NETWORKS = []
    heard = send(f"https://{NAME}/in")
    assert (heard.status, heard.fault) == (None, "blocked_address")
    assert len(receiver.letters) == 1


def test_a_redirect_is_not_followed(receiver):
    heard = send(receiver.url("/redirect"))
    assert (heard.status, heard.is_good) == (302, False)
    assert [letter.path for letter in receiver.letters] == ["/redirect"]


def test_a_proxy_of_the_environment_is_not_asked(receiver, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert send(receiver.url("/in")).is_good


@pytest.mark.parametrize("path", ["/hang", "/drip"])
def test_a_slow_receiver_has_its_time_and_no_more(receiver, path):
    began = time.monotonic()
    heard = send(receiver.url(path), seconds=1.0)
    assert (heard.status, heard.fault) == (None, "timeout")
    assert time.monotonic() - began < 3


def test_a_huge_answer_is_read_in_part(receiver):
    heard = send(receiver.url("/huge"))
    assert (heard.status, len(heard.answer)) == (200, outbound.KEPT_LETTERS)


def test_a_connection_that_breaks(receiver):
    assert send(receiver.url("/reset")).fault in {"connection", "tls", "unreadable_answer"}


def test_nobody_is_there(receiver, names):
    url = receiver.url("/in")
    receiver.stop()
    assert send(url).fault == "refused"
    assert send("https://unknown.example/").fault == "unresolved"


@pytest.mark.parametrize("options", [{"days": -1}, {"is_self_signed": True}])
def test_a_certificate_that_does_not_hold(authority, names, options):
    receiver = Receiver(authority.chain(**options))
    try:
        assert send(receiver.url("/in")).fault == "certificate"
    finally:
        receiver.stop()
    assert receiver.letters == []


def test_a_certificate_for_another_name(receiver, names):
    names.addresses["other.example"] = ["127.0.0.1"]
    assert send(receiver.url("/in", name="other.example")).fault == "certificate"


def test_an_address_that_is_silent_is_passed_over(receiver, names, monkeypatch):
    """Of two addresses of a name the first refuses: the second is called."""
    names.addresses[NAME] = ["127.0.0.2", "127.0.0.1"]
    assert send(receiver.url("/in")).is_good
