class Queue:
    """What waits for moderators, as something that can be watched."""

    pk = 1


QUEUE = Queue()
