# SPDX-License-Identifier: MIT
"""Usage: browser.py BROWSER PAGE DIRECTORY [SCREENSHOT-PREFIX]

Uses the page of --format html of `leaky plain inlined indirect possible` in a browser, and tells what is not as it
should be.  Exit status 77 if the browser cannot be started.  DIRECTORY is for what the browser writes.
"""
import base64
import json
import os
import subprocess
import sys
import time


class Browser:
    """Chromium by its debugging protocol, on descriptors 3 and 4: messages of JSON, each ended by a zero byte."""

    def __init__(self, program, directory):
        to_read, self.to_write = os.pipe()
        self.to_read, to_write = os.pipe()
        # Descriptors up to 9 may be those that dup2 makes.
        ends = [os.dup(to_read), os.dup(to_write)]
        for end in ends:
            os.set_inheritable(end, True)
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{ends[0]} 4>&{ends[1]}', "sh", program, "--headless", "--disable-gpu",
             "--remote-debugging-pipe", f"--user-data-dir={directory}", "--window-size=1300,1000",
             "--disable-dev-shm-usage", *sandbox, "about:blank"],
            pass_fds=ends, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for end in (to_read, to_write, *ends):
            os.close(end)
        self.rest = b""
        self.number = 0
        self.session = None

    def receive(self):
        while b"\0" not in self.rest:
            more = os.read(self.to_read, 65536)
            if not more:
                raise EOFError
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                return answer["result"]

    def open(self, path):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Network.enable")
        self.call("Page.navigate", url="file://" + path)
        while self.value("document.readyState") != "complete":
            time.sleep(0.05)

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def click(self, selector):
        place = self.value(f"""(() => {{
            const found = document.querySelector({json.dumps(selector)});
            found.scrollIntoView({{block: "center"}});
            const box = found.getBoundingClientRect();
            return [box.left + box.width / 2, box.top + box.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def type(self, selector, text):
        self.value(f"document.querySelector({json.dumps(selector)}).select()")
        if not text:
            for kind in ("keyDown", "keyUp"):
                self.call("Input.dispatchKeyEvent", type=kind, key="Delete", code="Delete", windowsVirtualKeyCode=46)
        else:
            self.call("Input.insertText", text=text)

    def column(self, number):
        return self.value(f"""[...document.querySelectorAll("#rows tr:not(.stack) td:nth-child({number})")]
                              .map(cell => cell.textContent)""")

    def flame(self):
        return self.value("""Object.fromEntries([...document.querySelectorAll("#flame button")]
                             .map(node => [node.textContent, node.getBoundingClientRect().width]))""")

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def close(self):
        self.session = None
        try:
            self.call("Browser.close")
        except (EOFError, OSError):
            pass
        self.process.wait(timeout=30)


failed = False


def expect(what, is_so, seen):
    global failed
    if not is_so:
        print(f"FAIL: {what}: {seen}")
        failed = True


def flame_button(name):
    return f'#flame button[aria-label^="{name}:"]'


def check_table(page):
    expect("the largest first", page.column(1) == ["20", "10", "5"], page.column(1))
    page.click("#columns th:nth-child(1) button")
    expect("sorted by bytes, ascending", page.column(1) == ["5", "10", "20"], page.column(1))
    expect("aria-sort", page.value("document.querySelector('th').ariaSort") == "ascending", "")
    page.click("#columns th:nth-child(4) button")
    expect("sorted by function", page.column(4) == ["inlined", "leak_indirectly", "leak_plainly"], page.column(4))
    page.click("#columns th:nth-child(4) button")
    expect("and back", page.column(4) == ["leak_plainly", "leak_indirectly", "inlined"], page.column(4))
    page.type("#filter", "plainly")
    expect("filtered", page.column(4) == ["leak_plainly"], page.column(4))
    expect("graph of what is filtered", "inlined" not in page.flame(), page.flame())
    page.type("#filter", "indirect leaky.c")
    expect("filtered by two words", page.column(4) == ["leak_indirectly"], page.column(4))
    page.type("#filter", "")
    page.value("document.getElementById('shown').value = 'all'; document.getElementById('shown')"
               ".dispatchEvent(new Event('change'))")
    expect("all", sorted(page.column(6)) == ["new", "new", "new", "unsure", "unsure"], page.column(6))
    page.value("document.getElementById('shown').value = 'new'; document.getElementById('shown')"
               ".dispatchEvent(new Event('change'))")


def check_stack(page):
    page.click("#rows .open")
    lines = page.value("[...document.querySelectorAll('tr.stack li')].map(item => item.textContent)")
    expect("stack", len(lines) > 3 and lines[0].startswith("leak_plainly test/tools/leaky.c:"), lines)
    expect("source line", '  recorder_leak("direct", bytes);   /* line of leak_plainly */' in lines[0], lines)
    page.click("#rows .open")
    expect("closed again", page.value("document.querySelectorAll('tr.stack').length") == 0, "")


def check_flame(page):
    whole = page.flame()
    expect("widths are shares of bytes", abs(whole["leak_plainly"] / whole["leak_by_inlined"] - 2) < 0.05, whole)
    page.click(flame_button("leak_by_inlined"))
    zoomed = page.flame()
    expect("zoomed", zoomed["leak_by_inlined"] > 0.99 * whole["main"] and "leak_plainly" not in zoomed, zoomed)
    expect("callers stay", "main" in zoomed, zoomed)
    page.click("#reset")
    expect("the whole graph again", page.flame() == whole, page.flame())
    page.type("#search", "PLAINLY")
    found = page.value("document.getElementById('found').textContent")
    expect("search", found == "20 bytes, 57.1 %", found)
    marked = page.value("[...document.querySelectorAll('#flame .match')].map(node => node.textContent)")
    expect("what is found is marked", marked == ["leak_plainly"], marked)
    page.type("#search", "")
    page.value(f"document.querySelector('{flame_button('main')}').focus()")
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    expect("zoomed by a key", not page.value("document.getElementById('reset').disabled"), "")
    page.click("#reset")


def take_screenshots(page, prefix):
    page.click("#rows .open")
    page.screenshot(prefix + "light.png")
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    page.type("#search", "plainly")
    page.screenshot(prefix + "dark.png")


def main():
    program, path, directory = sys.argv[1:4]
    try:
        page = Browser(program, directory)
        page.open(path)
    except (EOFError, OSError):
        print(f"This test is MISSING from the run: {program} cannot be started.")
        return 77
    check_table(page)
    check_stack(page)
    check_flame(page)
    if len(sys.argv) > 4:
        take_screenshots(page, sys.argv[4])
    page.close()
    return failed


sys.exit(main())
