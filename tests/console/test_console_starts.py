"""The console's part of a process: read by those who serve pages, and looked over by `check`."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.contrib import admin
from django.core import checks

from benefits.models import Benefit

ADMINS = "[name for name in sys.modules if name.endswith('.admin') and name.split('.')[0] in ('zone', 'benefits', 'credits')]"


def run(program):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}\nprint(len({ADMINS}))"],
        env={
            **os.environ, "DJANGO_SETTINGS_MODULE": "zone.settings",
            "DATABASE_URL": settings.DATABASE_URL, "REDIS_URL": settings.REDIS_URL,
        },
        cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return int(done.stdout.split()[-1])


def test_a_worker_starts_without_the_console():
    """It has none of its pages; a third of the time to start was reading them."""
    worker = "from zone.celery import app\napp.loader.import_default_modules()\n"
    assert run(worker) == 0
    assert run("import zone.wsgi") > 5


@pytest.fixture
def broken_admin():
    right = admin.site._registry[Benefit]
    admin.site._registry[Benefit] = type(
        "BrokenAdmin", (admin.ModelAdmin,), {"list_display": ("no_such_column",)}
    )(Benefit, admin.site)
    yield
    admin.site._registry[Benefit] = right


def test_check_finds_what_is_wrong_in_the_console(broken_admin):
    assert "admin.E108" in {fault.id for fault in checks.run_checks(tags=["admin"])}


def test_check_reads_the_console_by_itself():
    program = (
        "import django; django.setup()\n"
        "from django.core import checks\n"
        "checks.run_checks(tags=['admin'])\n"
    )
    assert run(program) > 5
