"""Django's SQLite, but writers of one process take turns: ``ENGINE`` is ``parley.sqlite3``.

SQLite lets writers who wait try again each after a pause of its own; on a busy machine one may miss every chance
until its ``timeout`` is over. So a writer first waits in line (``turns.py``), and SQLite's own waiting is left for
other processes.
"""
