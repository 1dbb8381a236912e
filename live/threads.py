from channels.db import database_sync_to_async


def in_thread(function, *arguments):
    """Run ``function`` in a worker thread with healthy database connections; not Channels' single one."""
    return database_sync_to_async(function, thread_sensitive=False)(*arguments)
