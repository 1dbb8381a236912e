"""nginx in front of Parley, as deploy/nginx.conf has it."""

import os
import shutil
import ssl
import subprocess
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from harness.servers import BASE, Server, free_port, program
from live.testing import PATIENCE


class Nginx(Server):
    """An nginx with ``deploy/nginx.conf``, in front of the processes at ``ports`` (two of them).

    Only ports and places are its own. It is reached at ``url`` (port ``plain``), and with TLS at ``tls``; at ``port``
    it answers what came without TLS. ``var`` (Path) is Parley's folder.
    """

    def __init__(self, folder, ports, var, plain=None):
        super().__init__(folder)
        self.plain, self.tls = plain or free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.plain}"
        site = self.render(
            {
                "server 127.0.0.1:8001 ": f"server 127.0.0.1:{ports[0]} ",
                "server 127.0.0.1:8002 ": f"server 127.0.0.1:{ports[1]} ",
                "listen 80;": f"listen 127.0.0.1:{self.port};",
                "listen [::]:80;": "",
                "listen 443 ssl http2;": f"listen 127.0.0.1:{self.tls} ssl http2;",
                "listen [::]:443 ssl http2;": f"listen 127.0.0.1:{self.plain};",
                "/etc/letsencrypt/live/blog.example/": f"{self.folder}/",
                "/var/cache/nginx/parley": f"{self.folder}/cache",
                "/var/lib/parley/": f"{var}/",
                "/var/log/nginx/": f"{self.folder}/",
            }
        )
        self.folder.joinpath("site.conf").write_text(site)
        self.folder.joinpath("nginx.conf").write_text(self.house())
        self.certify()

    def render(self, places):
        text = (BASE / "deploy/nginx.conf").read_text()
        for shipped, ours in places.items():
            assert shipped in text, f"deploy/nginx.conf does not say {shipped!r} any more"
            text = text.replace(shipped, ours)
        return text

    def house(self):
        """What a distribution's nginx.conf says around a site's file."""
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "\n".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in kinds)
        user = "user root;" if os.geteuid() == 0 else ""  # the workers read what the tests of root have made
        return f"""
            {user} daemon off; worker_processes 2; pid {self.folder}/nginx.pid;
            events {{ worker_connections 1000; }}
            http {{ include /etc/nginx/mime.types; access_log off; {places} include {self.folder}/site.conf; }}"""

    def certify(self):
        where = ["-keyout", self.folder / "privkey.pem", "-out", self.folder / "fullchain.pem"]
        request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=blog.example"]
        subprocess.run([program("openssl"), *request, *where], check=True, capture_output=True)

    @property
    def command(self):
        name = shutil.which("nginx", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"]))
        return [name or program("nginx"), "-p", self.folder, "-e", "stderr", "-c", self.folder / "nginx.conf"]

    def answers(self):
        with suppress(OSError, HTTPException):
            return self.get("/readyz").status == 404

    def get(self, path, tls=False, **headers):
        """The answer to GET ``path`` (str), with its ``body`` (bytes) read."""
        return self.ask("GET", path, tls, **headers)

    def ask(self, method, path, tls=False, **headers):
        if tls:
            line = HTTPSConnection("127.0.0.1", self.tls, timeout=PATIENCE, context=ssl._create_unverified_context())
        else:
            line = HTTPConnection("127.0.0.1", self.plain, timeout=PATIENCE)
        with closing(line):
            line.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = line.getresponse()
            answer.body = answer.read()
            return answer
