"""What stands before Django, or in a server. All of it is optional: none of the core imports it.

``pages`` keeps the pages of anonymous readers, ``bodies`` refuses requests that are too large or too slow, ``health``
answers ``/healthz``, ``/readyz`` and ``/metrics``: ASGI middleware, in this order, the last outermost. ``uvicorn`` and
``daphne`` fit the two servers for what the engine does; what both count of what arrives is in ``limits``.
"""
