"""What concerns a person, brought to them; and what is announced to everybody.

``models`` holds the verbs that other apps call in the transaction of the cause: ``notify`` (or ``notify_each``),
``withdraw_notifications``, ``read``. A *notification* is a row of one person's inbox and an item of their own stream,
its *sources* are what it consists of. A *fan-out* notifies more people than a request can. A *subscription* is
to follow, ignore or mute. An *announcement* is an item of a stream that every page shows.
"""
