"""What end-to-end tests, mail tests and benchmarks share: private servers, and people without browsers.

Servers are context managers, each a process on a port of its own: ``servers`` (Redis, PostgreSQL), ``site`` (Parley,
and a ``Relay`` that cuts the line to it), ``nginx``, ``mail`` (SMTP). ``hand`` writes over HTTP as a person would.

Pages come in one kind, ``live.testing.Page``, which keeps what it was told as htmx does. ``crowd`` has hundreds of them
in one event loop; ``document`` has one with elements, for tests that compare whole pages and need no server.
"""
