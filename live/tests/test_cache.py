"""The cache of HTML: bounded in bytes, and each value rendered once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from live.cache import HTMLCache, weight
from live.testing import PATIENCE

HOUR = 3600


def test_it_is_bounded_in_bytes_whatever_the_number_and_length_of_values():
    for length in (2, 1000, 24_000):
        cache = HTMLCache(limit=100_000)
        for n in range(5000):
            cache.set(("key", n), "字" * (length // 2))
        assert 0 < cache.size <= 100_000
        assert cache.size == sum(weight(key) + weight(value) for key, (value, _, _) in cache.entries.items())
        assert cache.get(("key", 4999)) and not cache.get(("key", 0))


def test_long_keys_count_as_well():
    cache = HTMLCache(limit=100_000)
    for n in range(100):
        cache.set((n, ("text", "x" * 10_000)), "short")
    assert 0 < len(cache.entries) < 10


def test_what_is_used_stays_and_what_nobody_asks_for_leaves():
    cache = HTMLCache(limit=10_000)
    cache.set("asked for", "x" * 1000)
    cache.set("forgotten", "x" * 1000)
    for n in range(100):
        cache.set(n, "x" * 1000)
        assert cache.get("asked for")
    assert cache.get("forgotten") is None


def test_what_is_too_large_is_handed_out_and_not_kept():
    cache = HTMLCache(limit=10_000)
    cache.set("small", "x")
    assert cache.get_or_set("large", lambda: "x" * 9000) == "x" * 9000
    assert cache.get("large") is None and cache.get("small") == "x"


def test_what_has_had_its_time_is_rendered_anew():
    cache = HTMLCache()
    assert cache.get_or_set("key", lambda: "old", timeout=0) == "old"
    assert cache.get_or_set("key", lambda: "new", timeout=HOUR) == "new"
    assert cache.get_or_set("key", lambda: "newer") == "new"
    cache.clear()
    assert cache.size == 0 and cache.get("key", "none") == "none"


def test_those_asking_at_once_wait_for_a_single_rendering():
    cache, rendered, go_on = HTMLCache(), [], Event()

    def render():
        rendered.append(1)
        go_on.wait(PATIENCE)
        return "text"

    with ThreadPoolExecutor(8) as threads:
        asking = [threads.submit(cache.get_or_set, "key", render) for _ in range(8)]
        while not rendered:
            pass
        assert cache.get_or_set("other", lambda: "not held up") == "not held up"
        go_on.set()
        assert {future.result() for future in asking} == {"text"}
    assert len(rendered) == 1 and not cache.rendering


def test_an_error_is_told_to_all_waiting_and_kept_for_nobody():
    cache = HTMLCache()
    with pytest.raises(ZeroDivisionError):
        cache.get_or_set("key", lambda: 1 / 0)
    assert cache.get_or_set("key", lambda: "text") == "text"
