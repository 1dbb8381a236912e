"""The database backend; Django looks for it under this name."""

import re
import weakref

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError
from parley.sqlite3.turns import turns

WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP)\b", re.IGNORECASE)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection has the turn from before its transaction begins until that ends, however it ends.

    A transaction that is to begin with the write lock (``transaction_mode``) takes a turn, be it to read only, as
    does a statement that writes outside of transactions. Raises ``OperationalError``, as without turns, if one that
    is ahead keeps the lock for too long: it may itself wait ``timeout`` seconds for another process, and then write
    for as long. A thread that opens a second connection and writes on it, within a transaction on its first, waits
    for itself, as it would for SQLite.
    """

    turns = None  # None: the database is in memory, and nobody else's
    end_turn = staticmethod(lambda: None)

    def get_new_connection(self, conn_params):
        connection = super().get_new_connection(conn_params)
        self.turns = None if self.is_in_memory_db() else turns(conn_params["database"])
        self.patience = 2 * conn_params.get("timeout", 5)  # 5 is sqlite3's own
        return connection

    def create_cursor(self, name=None):
        cursor = self.connection.cursor(factory=Cursor)
        cursor.wrapper = self
        return cursor

    def _start_transaction_under_autocommit(self):
        if self.transaction_mode not in ("IMMEDIATE", "EXCLUSIVE"):
            return super()._start_transaction_under_autocommit()
        self.take_turn()
        try:
            super()._start_transaction_under_autocommit()
        finally:
            self.end_turn_unless_writing()

    def _commit(self):
        try:
            super()._commit()
        finally:
            self.end_turn_unless_writing()

    def _rollback(self):
        try:
            super()._rollback()
        finally:
            self.end_turn_unless_writing()

    def _close(self):
        try:
            super()._close()
        finally:
            self.end_turn()

    def take_turn(self):
        if self.turns is None:
            return
        if not self.turns.take(self.patience):
            raise OperationalError("database is locked")
        # Called at the latest when a thread ends that has ended neither its transaction nor its connection.
        self.end_turn = weakref.finalize(self, self.turns.end)  # once, however often it is called

    def end_turn_unless_writing(self):
        if self.connection is None or not self.connection.in_transaction:
            self.end_turn()


class Cursor(base.SQLiteCursorWrapper):
    """``wrapper`` is the ``DatabaseWrapper`` whose cursor it is."""

    def execute(self, query, params=None):
        return self.in_turn(super().execute, query, params)

    def executemany(self, query, param_list):
        return self.in_turn(super().executemany, query, param_list)

    def in_turn(self, execute, query, params):
        if self.connection.in_transaction or not WRITES.match(query):
            return execute(query, params)
        self.wrapper.take_turn()
        try:
            return execute(query, params)
        finally:
            self.wrapper.end_turn_unless_writing()
