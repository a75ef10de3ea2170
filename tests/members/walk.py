"""A browser's walk through the sandbox wallet, as its pages are."""

from urllib.parse import parse_qsl, urlsplit

from django.test import Client

from zone.members.sandbox.models import SandboxAccount


def link_of(response) -> str:
    """The plain link to the wallet on the page that answered a form."""
    return response.context["address"]


def question_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def set_out(client: Client, *, wallet: str = "ALIPAY_CN", next_path: str = "/", **extra):
    """Agree at /welcome and get the wallet's address."""
    data = {"wallet": wallet, "agree": "yes", "next": next_path, **extra}
    return client.post("/welcome/leave", data)


def choose(client: Client, address: str, person: SandboxAccount | None = None, name: str = "Mei"):
    """Sign in to the sandbox wallet as `person`, or as a new one."""
    code = address.split("/")[3]
    chosen = {"person": person.public_id} if person else {"name": name}
    return client.post(f"/sandbox/wallet/{code}/person", {**question_of(address), **chosen})


def answer(client: Client, address: str, word: str = "agree") -> dict[str, str]:
    """Press a button of the wallet's page; the parameters that travel back."""
    code = address.split("/")[3]
    response = client.post(
        f"/sandbox/wallet/{code}/answer", {**question_of(address), "answer": word}
    )
    assert response.status_code == 303, response.content
    return dict(parse_qsl(urlsplit(response["Location"]).query))


def come_back(client: Client, *, wallet: str = "ALIPAY_CN", person=None, next_path="/", **extra):
    """Everything up to the return: its signed parameters, not used yet."""
    address = link_of(set_out(client, wallet=wallet, next_path=next_path, **extra))
    choose(client, address, person)
    return answer(client, address)


def sign_in(client: Client, *, wallet: str = "ALIPAY_CN", person=None, next_path: str = "/"):
    """The whole way in; the answer to the last form."""
    params = come_back(client, wallet=wallet, person=person, next_path=next_path)
    return client.post("/welcome/return", params)


def leave_to_bind(client: Client, **data) -> str:
    return link_of(client.post("/bind/leave", data))


def bind(client: Client, word: str = "agree"):
    """From the guide to the agreement page and back; the answer to the last form."""
    address = leave_to_bind(client)
    return client.post("/bind/return", answer(client, address, word))
