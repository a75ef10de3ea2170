import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image


@pytest.fixture
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def picture() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(held, "WEBP")
    return held.getvalue()


def test_a_picture_is_served_for_good_to_anybody(client, folder):
    default_storage.save("benefits/ben_x/abc-320.webp", ContentFile(picture()))

    answer = client.get("/media/benefits/ben_x/abc-320.webp")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"".join(answer.streaming_content) == picture()


@pytest.mark.parametrize(
    "path",
    ["benefits/none.webp", "notes.txt", "../secrets.env", "..%2Fsecrets.env", "page.html", ""],
)
@pytest.mark.django_db
def test_nothing_but_pictures_of_ours_is_served(client, folder, path):
    (folder / "notes.txt").write_text("mine")
    (folder / "page.html").write_text("<script>")
    (folder.parent / "secrets.env").write_text("secret")

    assert client.get(f"/media/{path}").status_code == 404


def test_a_picture_is_only_read(client, folder):
    assert client.post("/media/benefits/x.webp").status_code == 405
