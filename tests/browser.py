"""A page in headless Chromium, driven as a person would: a client of the WebDriver protocol in a few lines.

Needs Debian's packages chromium and chromium-driver, or the same programs from elsewhere, on the PATH.
"""

import base64
import http.client
import json
import shutil
import subprocess
import tempfile
from contextlib import contextmanager

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",  # in containers, where tests are root; the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
]
KEYS = {
    "ArrowRight": "\ue014", "ArrowLeft": "\ue012", "Home": "\ue011", "End": "\ue010", "Enter": "\ue007",
    "Escape": "\ue00c", "Tab": "\ue004",
}  # fmt: skip


class Browser:
    """One window."""

    def __init__(self, port, arguments):
        self.port = port
        options = {"binary": CHROMIUM, "args": arguments}
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        self.session = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def _send(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(f"{answer['error']}: {answer['message'].splitlines()[0]}")
        return answer

    def send(self, method, path, body=None):
        return self._send(method, f"/session/{self.session}{path}", body)

    def open(self, url):
        self.send("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """The value that the script returns."""
        return self.send("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_until_done(self, script):
        """The value with which the script calls its last argument."""
        return self.send("POST", "/execute/async", {"script": script, "args": []})

    def press(self, *keys):
        steps = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self.send("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": steps}]})

    def click(self, selector):
        found = self.send("POST", "/element", {"using": "css selector", "value": selector})
        self.send("POST", f"/element/{next(iter(found.values()))}/click", {})

    def point(self, selector):
        """Move the mouse onto an element."""
        found = self.send("POST", "/element", {"using": "css selector", "value": selector})
        move = {"type": "pointerMove", "duration": 0, "origin": found, "x": 0, "y": 0}
        self.send("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [move]}]})

    def drag(self, start, end):
        """Move the mouse from one point of the window to another with its button down."""
        steps = [
            {"type": "pointerMove", "duration": 0, "x": start[0], "y": start[1]},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerMove", "duration": 20, "x": end[0], "y": end[1]},
            {"type": "pointerUp", "button": 0},
        ]
        self.send("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": steps}]})

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def complaints(self):
        """What the page has written to the console since it was asked last: errors, refusals, warnings."""
        return [entry["message"] for entry in self.send("POST", "/se/log", {"type": "browser"})]

    def resize(self, width, height):
        self.send("POST", "/window/rect", {"width": width, "height": height})

    def view(self, width, height):
        """Give the page this size, whatever the window's own bars take."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        command = {"cmd": "Emulation.setDeviceMetricsOverride", "params": size}
        self.send("POST", "/goog/cdp/execute", command)

    def prefer(self, **media):
        """Set what the page is told of its reader's preferences, as in color_scheme="dark"."""
        features = [{"name": f"prefers-{k.replace('_', '-')}", "value": v} for k, v in media.items()]
        command = {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}}
        self.send("POST", "/goog/cdp/execute", command)

    def screenshot(self):
        return base64.b64decode(self.send("GET", "/screenshot"))


@contextmanager
def browser(*more):
    """A running browser, ended with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = subprocess.Popen(
            [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            port = next(int(line.split()[-1].rstrip(".")) for line in driver.stdout if "successfully" in line)
            window = Browser(port, [*ARGUMENTS, f"--user-data-dir={profile}", *more])
            try:
                yield window
            finally:
                window.send("DELETE", "")
        finally:
            driver.terminate()
            driver.wait(timeout=30)
            driver.stdout.close()
