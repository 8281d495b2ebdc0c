"""Two real processes of one installation, and a person at a browser in front of them."""

import http.cookiejar
import os
import re
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from tests.people import PASSWORD, username

ROOT = Path(__file__).parents[2]
PATIENCE = 120
COMMAND = "from ecrf.cli import main; main()"


def environment(**settings):
    """Return a clean environment: where the program is, and the settings."""
    path = os.pathsep.join((str(ROOT), sysconfig.get_path("purelib")))
    plain = {"PATH": os.defpath, "PYTHONPATH": path}
    return plain | {name: str(value) for name, value in settings.items()}


@dataclass
class Account:
    """An operating-system user to run as; none means whoever runs the tests."""

    user: int | None = None
    group: int | None = None
    program: str = sys.executable

    def told(self):
        if self.user is None:
            return {}
        return {"user": self.user, "group": self.group, "extra_groups": [], "umask": 0o007}


@dataclass
class Process:
    """One process of the installation: started, stopped, started again."""

    arguments: tuple
    settings: dict
    port: int
    output: Path
    account: Account = field(default_factory=Account)
    running: subprocess.Popen | None = None

    def start(self):
        command = [self.account.program, "-c", COMMAND, "serve", *self.arguments]
        command += ["--port", str(self.port)]
        with self.output.open("ab") as output:
            self.running = subprocess.Popen(
                command, env=environment(**self.settings), cwd=ROOT, stdout=output,
                stderr=output, stdin=subprocess.DEVNULL, **self.account.told(),
            )  # fmt: skip
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self.running.poll() is not None:
                raise AssertionError(self.said())
            if self._answers():
                return
            time.sleep(0.1)
        raise AssertionError(f"does not answer: {self.said()}")

    def stop(self):
        if self.running is not None:
            self.running.terminate()
            self.running.wait(timeout=20)
            self.running = None

    def said(self):
        return self.output.read_text("utf-8", "replace")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _answers(self):
        try:
            return urllib.request.urlopen(f"{self.url}/sign-in", timeout=5).status == 200
        except OSError:
            return False


@contextmanager
def running(*processes):
    """Start the processes in turn, and stop them whatever happens."""
    try:
        for process in processes:
            process.start()
        yield processes
    finally:
        for process in processes:
            process.stop()


class Browser:
    """A person at a browser: cookies kept, redirects followed, refusals read as pages."""

    def __init__(self, url):
        self._url = url
        jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def get(self, path):
        return self._open(urllib.request.Request(self._url + path))

    def post(self, path, **sent):
        data = urlencode(sent).encode()
        return self._open(urllib.request.Request(self._url + path, data=data))

    def sign_in(self, actor):
        status, page = self.post("/sign-in", username=username(actor), password=PASSWORD)
        assert status == 200, page
        return self

    def send(self, path, to=None, **sent):
        """Open the page, and send its form with its token, there or where it leads."""
        _, page = self.get(path)
        (token, *_) = re.findall(r'name="csrf" value="(\w+)"', page)
        return self.post(to or path, csrf=token, **sent)

    def _open(self, request):
        try:
            with self._opener.open(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()
