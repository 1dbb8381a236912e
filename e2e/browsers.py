"""Firefox and WebKit, with one small way to drive both; Chromium is Playwright's (``open_page`` in ``conftest.py``).

Playwright drives only builds of its own of these two. The system's are what people have: Firefox, headless, through
Mozilla's Marionette, and WebKitGTK's MiniBrowser through WebDriver, on a display of its own (Xvfb).
"""

import json
import os
import re
import shutil
import subprocess
import time
from contextlib import ExitStack

from marionette_driver.errors import MarionetteException
from marionette_driver.marionette import Marionette
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.webkitgtk.service import Service

from harness.servers import free_port
from live.testing import PATIENCE

PAUSE = 0.02  # seconds between two looks
HOSTS = ("127.0.0.1", "localhost")  # cookies are a host's: as many people as hosts can share one browser
VISIBLE = "[...document.querySelectorAll(arguments[0])].filter(one => one.checkVisibility())"


class Missing(Exception):
    """A program is not on this machine; says which package has it."""


def program(name, package):
    """The path (str) of the program ``name``; raises ``Missing`` if it is not installed."""
    if path := shutil.which(name):
        return path
    raise Missing(f"The program {name} is not installed: bin/test installs it, in Debian's package {package}.")


class Browser:
    """One running browser, a context manager. ``open()`` gives pages, ``clear()`` closes them all.

    Entering raises ``Missing`` where a program that it needs is not installed. Subclasses ``launch`` it, and say what
    their two drivers call differently.
    """

    def __init__(self, folder):
        self.log_file = folder / f"{type(self).__name__.lower()}.log"

    def __enter__(self):
        with ExitStack() as stack:
            self.driver = self.launch(stack)
            self.blank = self.driver.current_window_handle
            self.stack = stack.pop_all()
        self.hosts = {}  # person's id, or None for strangers -> host
        return self

    def __exit__(self, *failure):
        self.stack.close()

    def open(self, site, person=None):
        """A new window for ``person``, logged in, or for a stranger, at ``site`` (Site or Relay). → Page

        Windows of one person share their cookies. Raises ``ValueError`` if there are more people than hosts.
        """
        person_id = person and person.pk
        is_new = person_id not in self.hosts
        if is_new and len(self.hosts) == len(HOSTS):
            raise ValueError(f"One browser has room for {len(HOSTS)} people.")
        host = self.hosts.setdefault(person_id, HOSTS[len(self.hosts) % len(HOSTS)])
        page = Page(self, self.new_window(), site.url.replace(HOSTS[0], host))
        if person and is_new:
            page.sign_in(site.session(person))
        return page

    def clear(self):
        """Close all pages and forget all cookies."""
        for handle in self.driver.window_handles:
            if handle != self.blank:
                self.switch(handle)
                self.driver.delete_all_cookies()
                self.driver.close()
        self.switch(self.blank)
        self.hosts.clear()


class Firefox(Browser):
    """The system's Firefox, which writes its pages' console, and errors in their scripts, to its log."""

    refusal = MarionetteException

    def launch(self, stack):
        prefs = {
            "devtools.console.stdout.content": True,
            "intl.accept_languages": "en",
            # It asks the network for much; now only this machine can be reached, which needs no proxy.
            "network.proxy.type": 1,
            "network.proxy.ssl": "127.0.0.1",
            "network.proxy.ssl_port": 9,
            "network.proxy.http": "127.0.0.1",
            "network.proxy.http_port": 9,
        }
        firefox = os.path.realpath(shutil.which("firefox-esr") or program("firefox", "firefox-esr"))
        options = {"headless": True, "prefs": prefs, "gecko_log": str(self.log_file)}
        driver = Marionette(bin=firefox, port=free_port(), startup_timeout=PATIENCE, **options)
        stack.callback(driver.cleanup)
        driver.start_session()
        return driver

    def new_window(self):
        handle = self.driver.open(type="window")["handle"]
        self.switch(handle)
        return handle

    def switch(self, handle):
        self.driver.switch_to_window(handle)

    def load(self, url):
        self.driver.navigate(url)

    def run(self, script, arguments):
        return self.driver.execute_script(script, arguments, sandbox=None)

    def type(self, keys, delay):
        sequence = self.driver.actions.sequence("key", "keyboard")
        for key in keys:
            sequence.key_down(key).key_up(key).pause(delay)
        sequence.perform()

    def troubles(self):
        """What went wrong in scripts of pages so far (list of str)."""
        said = self.log_file.read_text(errors="replace")
        return re.findall(r"^JavaScript error: http.*|^console\.error: \".*", said, re.MULTILINE)


class WebKit(Browser):
    """WebKitGTK's MiniBrowser, which does not tell what is on the console."""

    refusal = WebDriverException

    def launch(self, stack):
        log = stack.enter_context(self.log_file.open("w"))
        service = program("WebKitWebDriver", "webkit2gtk-driver")
        display = subprocess.Popen(
            [program("Xvfb", "xvfb"), "-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # a Ctrl-C is ours to hear
        )
        stack.callback(display.wait)
        stack.callback(display.terminate)
        env = os.environ | {"DISPLAY": f":{display.stdout.readline().strip()}", "LANGUAGE": "en"}
        driver = webdriver.WebKitGTK(service=Service(service, env=env, log_output=log))
        stack.callback(driver.quit)
        return driver

    def new_window(self):
        self.driver.switch_to.new_window("window")
        return self.driver.current_window_handle

    def switch(self, handle):
        self.driver.switch_to.window(handle)

    def load(self, url):
        self.driver.get(url)

    def run(self, script, arguments):
        return self.driver.execute_script(script, *arguments)

    def type(self, keys, delay):
        chain = ActionChains(self.driver, duration=0)
        for key in keys:
            chain.key_down(key).key_up(key).pause(delay / 1000)
        chain.perform()

    def troubles(self):
        return []


BROWSERS = {"firefox": Firefox, "webkit": WebKit}


class Page:
    """One window of a browser, at a site's ``url`` (str). Elements are named by CSS selectors.

    What is read is the state of this moment; ``expect_…`` wait for it and raise ``AssertionError`` if it never
    comes. What is done waits until it can be done.
    """

    def __init__(self, browser, handle, url):
        self.browser = browser
        self.handle = handle
        self.url = url

    # What a person does

    def goto(self, path):
        """Open the ``path`` (str) of the site and wait until it is loaded. → the page"""
        self.front().load(self.url + path)
        return self

    def click(self, css):
        self.act(css, lambda element: element.click())

    def fill(self, css, text):
        """Put ``text`` into the field ``css``, in place of what is there."""

        def write(element):
            element.clear()
            element.send_keys(text)

        self.act(css, write)

    def type(self, text, delay=0):
        """Type ``text`` where the focus is, a key every ``delay`` milliseconds; a newline is Enter."""
        self.front().type(text.replace("\n", Keys.ENTER), delay)

    def press(self, key):
        """Press a ``key``, by its name in selenium's ``Keys`` (``"TAB"``), where the focus is."""
        self.type(getattr(Keys, key))

    def sign_in(self, cookie):
        """Take the session ``cookie`` of ``Site.session()``."""
        self.goto("/static/css/base.css")  # a cookie needs a page of its host, and one that is not live
        self.browser.driver.add_cookie(
            {name: cookie[name] for name in ("name", "value", "path", "httpOnly", "sameSite")}
        )

    def close(self):
        self.front().driver.close()

    # What a page shows

    def evaluate(self, script, *arguments):
        """The value of the JavaScript expression ``script``; it may read ``arguments[0]`` and so on."""
        return self.front().run(f"return {script}", arguments)

    def texts(self, css):
        """The texts (list of str) of the visible elements ``css``."""
        return self.evaluate(f"{VISIBLE}.map(one => one.innerText.trim())", css)

    def values(self, css):
        """The values (list of str) of the fields ``css``."""
        return self.evaluate("[...document.querySelectorAll(arguments[0])].map(one => one.value)", css)

    def count(self, css):
        """How many elements ``css`` there are, visible or not."""
        return self.evaluate("document.querySelectorAll(arguments[0]).length", css)

    def is_focused(self, css):
        return self.evaluate("document.activeElement.matches(arguments[0])", css)

    def title(self):
        return self.front().driver.title

    # What it should come to show

    def expect_texts(self, css, wanted):
        self.expect(lambda: self.texts(css), wanted)

    def expect_values(self, css, wanted):
        self.expect(lambda: self.values(css), wanted)

    def expect_count(self, css, wanted):
        self.expect(lambda: self.count(css), wanted)

    def expect(self, read, wanted=True):
        """Wait until ``read()`` is ``wanted``."""
        deadline = time.monotonic() + PATIENCE
        while (shown := read()) != wanted:
            if time.monotonic() > deadline:
                raise AssertionError(f"It shows {json.dumps(shown, ensure_ascii=False)}, and not {wanted!r}.")
            time.sleep(PAUSE)

    # How

    def front(self):
        """The browser, with this window in front."""
        if self.browser.driver.current_window_handle != self.handle:
            self.browser.switch(self.handle)
        return self.browser

    def act(self, css, action):
        """Do ``action(element)`` to the first element ``css`` as soon as it is there and can be used."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return action(self.front().driver.find_element("css selector", css))
            except self.browser.refusal:
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE)
