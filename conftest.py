"""For all tests: signals end a run in order, and where CI is set a skipped test is a failure."""

import asyncio
import os
import signal

import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import translation

from live.cache import html_cache

# As Ctrl-C does: pytest then tears down its fixtures, and no server outlives it.
signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_sessionfinish(session):
    if skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    if skipped(config):
        terminalreporter.write_line("Skipped tests count as failures here, as CI is set.", red=True)


def skipped(config):
    """Whether tests were skipped (bool) that must not be."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return bool(os.environ.get("CI") and reporter and reporter.stats.get("skipped"))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory):
    """The tests' SQLite is a file, as ours is: one in memory knows neither WAL nor several threads."""
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("db") / "test.sqlite3")


@pytest.fixture(autouse=True)
def forgetful(settings):
    """Each test begins anew: with the same ids and ticks as the last one, and with nothing tried before.

    Nobody waits for review or is too fast, but where a test is about that (``strangers``).
    """
    html_cache.clear()
    cache.clear()
    translation.activate(settings.LANGUAGE_CODE)  # a request leaves its language in the thread
    settings.REVIEW, settings.RATES_OF = False, {}


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """Pages name static files without asking for the manifest that ``collectstatic`` would have made."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.fixture
def run():
    """``run(coroutine)``: in an event loop of its own, with a hub of its own."""

    def run(coroutine):
        async def alone():
            try:
                return await coroutine
            finally:
                while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
                    for task in tasks:  # again and again: one whose thread ends at this moment overhears it (asgiref)
                        task.cancel()
                    await asyncio.wait(tasks, timeout=1)

        assert "InMemory" in settings.CHANNEL_LAYERS["default"]["BACKEND"]
        return asyncio.run(alone())

    return run
