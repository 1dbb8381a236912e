"""Writers on one SQLite file take turns, and no turn is ever lost."""

import gc
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Event, Thread

import pytest
from django.conf import settings
from django.db import OperationalError, connections, transaction
from django.db.utils import load_backend
from parley.sqlite3.turns import turns

from live.testing import PATIENCE, until

LONG, SHORT = PATIENCE, 0.05  # seconds that a writer waits before it gives up


@pytest.fixture
def path(tmp_path):
    """A database with a table ``words``."""
    path = str(tmp_path / "words.sqlite3")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL)")
    return path


@pytest.fixture
def writer(path, django_db_blocker):
    """``with writer(timeout) as connection:`` within, a new connection to that database is this thread's."""

    @contextmanager
    def writer(timeout=LONG):
        described = settings.DATABASES["default"] | {"NAME": path, "OPTIONS": settings.SQLITE | {"timeout": timeout}}
        ours, theirs = connections["default"], load_backend("parley.sqlite3").DatabaseWrapper(described, "default")
        connections["default"] = theirs
        try:
            with django_db_blocker.unblock():
                yield theirs
        finally:
            theirs.close()
            connections["default"] = ours

    return writer


def write(word):
    with connections["default"].cursor() as cursor:
        cursor.execute("INSERT INTO words (word) VALUES (%s)", [word])


def written(path):
    with closing(sqlite3.connect(path)) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM words ORDER BY id")]


@pytest.fixture
def start(writer):
    """``start(job, *arguments)``: do it in a thread with a connection of its own. → its future"""

    def working(job, arguments, timeout):
        with writer(timeout):
            return job(*arguments)

    with ThreadPoolExecutor(40) as pool:
        yield lambda job, *arguments, timeout=LONG: pool.submit(working, job, arguments, timeout)


@pytest.fixture
def line_up(path, start):
    """``line_up(job, *arguments)``: as ``start``, and wait until it stands in the line."""

    def line_up(job, *arguments, **options):
        before = len(turns(path).line)
        future = start(job, *arguments, **options)
        until(lambda: len(turns(path).line) == before + 1)
        return future

    return line_up


@transaction.atomic
def write_in_transaction(word):
    write(word)


@pytest.mark.parametrize("job", [write, write_in_transaction])
def test_who_came_first_writes_first(path, writer, line_up, job):
    with writer():
        with transaction.atomic():
            waiting = [line_up(job, f"word {n}") for n in range(20)]
            write("first")
        for one in waiting:
            one.result()
    assert written(path) == ["first", *(f"word {n}" for n in range(20))]


def test_one_who_writes_on_and_on_lets_the_others_in_between(path, writer, line_up):
    with writer():
        with transaction.atomic():
            waiting = line_up(write, "waited")
            write("one")
        write("two")
        write("three")
        waiting.result()
    assert written(path) == ["one", "waited", "two", "three"]


def test_forty_writers_at_once_write_all(path, start):
    def write_much(name):
        for n in range(25):
            write_in_transaction(f"{name}: {n}")

    for one in [start(write_much, name) for name in range(40)]:
        one.result()
    assert sorted(written(path)) == sorted(f"{name}: {n}" for name in range(40) for n in range(25))


class Failure(Exception):
    pass


def fail_in_transaction():
    with transaction.atomic():
        write("undone")
        raise Failure


def break_a_rule():
    with transaction.atomic():
        write(None)


def close_in_transaction():
    with transaction.atomic():
        write("undone")
        connections["default"].close()


def leave_without_an_end():
    connection = connections["default"]
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    write("undone")


def write_nonsense():
    with connections["default"].cursor() as cursor:
        cursor.execute("INSERT INTO nowhere VALUES (1)")


@pytest.mark.parametrize(
    "job", [fail_in_transaction, break_a_rule, close_in_transaction, leave_without_an_end, write_nonsense]
)
def test_a_turn_ends_however_it_ends(path, start, job):
    failed = start(job)
    failed.exception()
    start(write, "afterwards").result()
    start(write_in_transaction, "and again").result()
    assert written(path) == ["afterwards", "and again"]
    assert not turns(path).taken and not turns(path).line


def test_a_turn_ends_with_a_thread_that_leaves_its_connection_behind(path, django_db_blocker, start):
    def begin():
        described = settings.DATABASES["default"] | {"NAME": path, "OPTIONS": settings.SQLITE}
        abandoned = load_backend("parley.sqlite3").DatabaseWrapper(described, "default")
        with django_db_blocker.unblock():
            abandoned.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)

    thread = Thread(target=begin)
    thread.start()
    thread.join()
    gc.collect()
    start(write, "afterwards").result()
    assert written(path) == ["afterwards"]


def test_one_who_has_waited_in_vain_is_told_as_by_sqlite_and_gets_no_turn_later(path, writer, line_up):
    with writer():
        with transaction.atomic():
            impatient = line_up(write_in_transaction, "never", timeout=SHORT)
            patient = line_up(write_in_transaction, "later")
            with pytest.raises(OperationalError, match="database is locked"):
                impatient.result()
            write("first")
        patient.result()
    assert written(path) == ["first", "later"]


def test_another_process_that_keeps_the_lock_costs_the_turn_of_one_writer_only(path, start):
    with closing(sqlite3.connect(path, isolation_level=None)) as elsewhere:
        elsewhere.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="database is locked"):
            start(write_in_transaction, "never", timeout=SHORT).result()
        patient = start(write_in_transaction, "later")
        until(lambda: turns(path).taken)
        elsewhere.execute("COMMIT")
        patient.result()
    assert written(path) == ["later"]


def test_one_thread_with_two_connections_waits_for_itself_no_longer_than_sqlite_would(path, writer):
    with writer(), transaction.atomic():
        write("outside")
        with writer(SHORT), pytest.raises(OperationalError, match="database is locked"):
            write_in_transaction("inside")
        write("outside still")
    assert written(path) == ["outside", "outside still"]


def test_who_reads_waits_for_nobody(path, writer, start):
    def read():
        with connections["default"].cursor() as cursor:
            return cursor.execute("SELECT count(*) FROM words").fetchone()

    with writer(), transaction.atomic():
        write("not yet committed")
        assert start(read).result() == (0,)


def test_databases_have_turns_of_their_own(path, tmp_path):
    assert turns(path) is turns(str(tmp_path / "." / "words.sqlite3"))
    assert turns(path) is not turns(str(tmp_path / "other.sqlite3"))


def test_what_is_done_after_a_commit_is_done_after_the_turn(path, writer, line_up):
    done = Event()
    with writer():
        with transaction.atomic():
            waiting = line_up(write, "meanwhile")
            transaction.on_commit(lambda: (waiting.result(), done.set()))
        assert done.is_set()
    assert written(path) == ["meanwhile"]
