import pytest


@pytest.fixture
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "media" / "benefits").mkdir(parents=True)
    (tmp_path / "media" / "benefits" / "a-320.webp").write_bytes(b"picture")
    (tmp_path / "media" / "notes.txt").write_text("ours")
    (tmp_path / "secret.webp").write_bytes(b"outside")
    return tmp_path


def test_a_picture_is_kept_by_browsers_for_good(client, db, folder):
    answer = client.get("/media/benefits/a-320.webp")

    assert (answer.status_code, answer.getvalue()) == (200, b"picture")
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["notes.txt", "benefits/", "benefits", "../secret.webp", "%2e%2e/secret.webp", "no.webp"],
)
def test_nothing_else_is_served(client, db, folder, path):
    assert client.get(f"/media/{path}").status_code in {302, 400, 404}
    assert b"outside" not in client.get(f"/media/{path}", follow=True).content
