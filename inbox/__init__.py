"""What concerns a person, brought to them; and what is announced to everybody.

``models`` holds the verbs that other apps call in the transaction of the cause: ``notify`` (or ``notify_each``),
``withdraw_notifications``, ``read``. A *notification* is a row of one person's inbox and an item of their own stream,
its *causes* are what it consists of; a *fan-out* is what so many are to be told that the heartbeat does it; a *choice*
is to follow, ignore or mute; an *announcement* is an item of the *board*, which every page shows.
"""
