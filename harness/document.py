"""A page without a browser, whose elements change as htmx changes them: for tests that play with whole pages."""

import re

from bs4 import BeautifulSoup
from django.test import Client

from live.cursors import unsign
from live.deltas import compose
from live.testing import AGAIN
from live.viewers import Viewer

ANSWER = {"HX-Request": "true"}


def parse(html):
    return BeautifulSoup(html, "html.parser")


class Document:
    """The page at ``path`` (str) of ``person`` (or None).

    It has no socket until ``connected`` is set; then ``listen`` brings what the hub would send.
    """

    def __init__(self, path, person=None):
        self.client, self.path, self.connected = Client(), path, True
        if person:
            self.client.force_login(person)
        self.viewer = Viewer(self.client.session.session_key if person else None)
        self.dom = parse(self.get(path))

    def get(self, path, data=None, headers=None):
        response = self.client.get(path, data, headers=headers)
        assert response.status_code == 200, f"{path} {data}: {response.status_code}"
        return response.content.decode()

    # What the server sends

    @property
    def cursors(self):
        """The streams that the page watches, and the ticks that it has seen: dict of str to int."""
        inputs = self.dom.select('#live form input[id^="cursor-"]')
        return {unsign(field["name"]): int(field["value"]) for field in inputs}

    def listen(self):
        """The socket brings what the page has not seen."""
        for name, tick in self.cursors.items() if self.connected else ():
            told = compose(name, "en", tick, {self.viewer})
            assert not told.refused
            self.apply(told.text)

    def apply(self, text):
        """Apply the fragments in ``text``. The targets of all are looked up before any is applied, as by htmx."""
        tasks = []
        for fragment in parse(text).find_all(["hx-partial", "hx-upsert"], recursive=False):
            target = fragment["hx-target"]
            upsert = fragment.name == "hx-upsert"
            tasks.append((fragment, target if upsert else self.dom.select(target)))
        for fragment, target in tasks:
            if fragment.name == "hx-upsert":
                self.upsert(fragment, self.dom.select_one(target))
            else:
                for element in target:
                    self.swap(fragment, element)

    def upsert(self, fragment, target):
        for new in fragment.find_all(recursive=False) if target else ():
            self.preserve(new)
            if old := self.dom.find(id=new["id"]):
                old.replace_with(new)
                continue
            key, sign = float(new["data-key"]), -1 if fragment["sort"] == "desc" else 1
            for child in target.find_all(recursive=False):
                if child.get("data-key") and sign * key < sign * float(child["data-key"]):
                    child.insert_before(new)
                    break
            else:
                target.append(new)

    def swap(self, fragment, target):
        style = fragment["hx-swap"]
        if target.parent is None:
            return  # an earlier fragment has taken it off the page
        if style == "delete":
            target.decompose()
        elif style == "textContent":
            target.string = fragment.text
        else:
            assert style in ("outerMorph", "outerHTML")
            self.replace(target, fragment.find(recursive=False))

    def replace(self, old, new):
        self.preserve(new)
        old.replace_with(new.extract())

    def preserve(self, new):
        for place in new.select("[hx-preserve]"):
            if kept := self.dom.find(id=place["id"]):
                place.replace_with(kept.extract())

    # What the page does

    @property
    def owes(self):
        return bool(self.dom.select("#again[hx-get]"))

    def ask(self):
        """Ask for this page again, as a page that missed too much does. → the answer (str), still to be ``take``n"""
        path, _, query = self.path.partition("?")
        data = dict(pair.split("=") for pair in query.split("&") if pair)
        for field in self.dom.select(".page-state"):
            data.setdefault(field["name"], []).append(field["value"])
        return self.get(path, data, AGAIN)

    def take(self, html):
        answer = parse(html)
        takes = self.dom.select_one("#debt")["hx-select-oob:inherited"].split(",")
        found = [new for selector in takes for new in answer.select(selector.rpartition(":")[0])]
        assert found
        for new in {id(element): element for element in found}.values():
            if old := self.dom.find(id=new["id"]):
                self.replace(old, new)

    def follow(self, link):
        """Click ``link``, an element with ``hx-get`` whose answer holds fragments."""
        self.apply(self.get(link["hx-get"], headers=ANSWER))

    def open(self, link):
        """Click ``link``, an element with ``hx-get`` that opens a form. → the form"""
        slot = self.dom.select_one(link["hx-target"])
        slot.clear()
        slot.append(parse(self.get(link["hx-get"], headers=ANSWER)))
        return slot.form

    def close(self, slot):
        """Drop what is typed in ``slot``."""
        slot.clear()
        for place in self.dom.select("[hx-trigger^='htmx:after:swap from:#']"):
            target = re.search(r'target:"([^"]+)"', place.get("hx-swap", ""))
            if target and (element := self.dom.select_one(target[1])):
                element.decompose()

    def settle(self):
        """The socket is back, and the page pays what it owes."""
        self.connected = True
        self.listen()
        while self.owes:
            self.take(self.ask())
            self.listen()
