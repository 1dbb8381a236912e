"""Gives the folder ``site/`` an importable name.

The standard library's own ``site`` module is loaded before any of our code, so
``site.settings`` can never be imported. A module with a ``__path__`` is a package:
``parley.settings`` is ``site/settings.py``.
"""

from pathlib import Path

__path__ = [str(Path(__file__).parent / "site")]
