"""Drives the page of `lexiform serve` in headless Chromium, as a person would, and checks what it shows.

    pip install playwright            # with Debian's chromium, or `playwright install chromium`
    lexiform serve samples --listen 127.0.0.1:7070 &
    python xtask/peers/page.py http://127.0.0.1:7070/ OUT

OUT gets screenshots: desktop (light, dark), phone, the dialog. Fails with a message where the page does something else than expected,
asks another server for anything, or logs an error. The library must be `samples/`.
"""

import http.server
import pathlib
import shutil
import sys
import threading
import time
import urllib.error
import urllib.request

from playwright.sync_api import sync_playwright

URL, OUT = sys.argv[1], pathlib.Path(sys.argv[2])
SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "samples"


def expect(what, condition):
    if not condition:
        raise SystemExit(f"failed: {what}")
    print(f"ok  {what}", flush=True)


def wait(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return expect(what, True)
        time.sleep(0.05)
    expect(what, False)


def proxy(target):
    """A reverse proxy that serves `target` below /shapes/; returns its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def forward(self):
            if not self.path.startswith("/shapes/"):
                return self.send_error(404)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            headers = {k: v for k, v in self.headers.items() if k.lower() in ("content-type", "cookie", "origin", "host")}
            request = urllib.request.Request(target + self.path[len("/shapes/"):], body, headers, method=self.command)
            try:
                reply = urllib.request.urlopen(request)
            except urllib.error.HTTPError as error:
                reply = error
            content = reply.read()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = forward

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/shapes/"


class Page:
    """A page with checks of what it asks for and logs."""

    def __init__(self, browser, url=URL, **options):
        self.context = browser.new_context(**options)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page = self.context.new_page()
        self.errors, self.weight = [], {}
        # An incomplete filter is answered with 400, which Chromium logs.
        known = ("GPU stall", "status of 400")
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type in ("error", "warning") and not any(k in m.text for k in known) else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", self.count)
        self.origin = url.split("/")[2]
        self.page.goto(url)
        self.loaded()

    def count(self, response):
        if not response.url.startswith("blob:") and response.url.split("/")[2] != self.origin:
            self.errors.append(f"asks {response.url}")
        if "thumbnail" not in response.url and "/v1/" not in response.url:
            self.weight[response.url] = int(response.headers.get("content-length", 0))

    def until(self, condition, seconds=60):
        """Waits for a condition in JavaScript; the policy of the page forbids Playwright's own way, which is `eval`."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(condition):
            if time.monotonic() > end:
                raise SystemExit(f"failed: {condition}")
            time.sleep(0.1)

    def names(self):
        return self.page.locator("#results .name").all_inner_texts()

    def loaded(self):
        self.page.wait_for_selector("#results .card")
        self.until("!document.querySelector('#results.stale')")

    def answered(self, asked):
        """Waits for the answer to a query that has a part in the address, which is set when the query is sent."""
        self.until(f"location.search.includes('{asked}')")
        self.loaded()

    def images(self):
        self.until("[...document.querySelectorAll('#results img')].filter(i => i.getBoundingClientRect().top < innerHeight).every(i => i.complete && i.naturalWidth)")

    def search(self, text, first):
        self.page.fill("#text", text)
        wait(f"{text!r} finds {first}", lambda: any(first in name for name in self.names()[:3]))
        self.loaded()

    def shot(self, name):
        self.page.screenshot(path=OUT / f"{name}.png")

    def end(self, what):
        expect(f"{what}: no errors, no other servers {self.errors}", not self.errors)
        self.context.close()


CONTRAST = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const luminance = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const background = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    if (!e.offsetParent || ![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [luminance(parse(getComputedStyle(e).color)), luminance(background(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(`${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 20)} ${ratio.toFixed(2)}`);
  }
  return low;
}"""


def pixels(page):
    """The canvas, as a checksum of its screenshot."""
    page.wait_for_timeout(150)
    return hash(page.locator("#canvas").screenshot())


def desktop(browser):
    tab = Page(browser, viewport={"width": 1280, "height": 820}, color_scheme="light")
    page = tab.page
    wait("all files are listed first", lambda: "64 files" in page.inner_text("#message"))
    weight = sum(tab.weight.values())
    expect(f"the page weighs {weight} bytes, at most 120,000", 10_000 < weight <= 120_000)
    tab.search("something to sit on", "chair")
    tab.images()
    tab.shot("desktop-light")
    expect(f"contrasts are at least 4.5, light {page.evaluate(CONTRAST)}", not page.evaluate(CONTRAST))
    page.fill("#text", "a chair")
    tab.answered("q=a+chair")
    wanted = tab.names()
    page.fill("#not", "armrests")
    tab.answered("not=armrests")
    expect("unwanted words change the results", tab.names() not in ([], wanted))
    page.fill("#not", "")
    page.fill("#text", "")
    page.fill("#where", "format = stl")
    wait("a filter restricts the list", lambda: tab.names() and all(name.endswith(".stl") for name in tab.names()))
    page.fill("#where", "")
    page.fill("#text", "a chair under 100 kB, glb")
    wait("filters in the words are chips", lambda: page.locator("#chips li").all_inner_texts() != [] and [t.split("×")[0].strip() for t in page.locator("#chips li").all_inner_texts()] == ["under 100 kB", "glb"])
    wait("and restrict the answers", lambda: tab.names() and all(name.endswith(".glb") for name in tab.names()) and "chair" in tab.names()[0])
    tab.loaded()
    tab.shot("chips")
    expect(f"contrast of chips {page.evaluate(CONTRAST)}", not page.evaluate(CONTRAST))
    page.locator("#chips li").nth(1).locator("button").click()
    wait("a chip can be words again", lambda: page.locator("#chips li").count() == 1)
    page.fill("#text", "")
    page.fill("#where", "format =")
    wait("an incomplete filter is marked", lambda: page.get_attribute("#where", "aria-invalid") == "true")
    page.fill("#where", "")
    page.fill("#text", "xyzzy blorf")
    wait("unknown words are reported", lambda: "No close match" in page.inner_text("#notes") and "xyzzy" in page.inner_text("#notes"))
    page.fill("#text", "")
    page.set_input_files("#file", SAMPLES / "mug_02.stl")
    wait("an uploaded shape finds mugs", lambda: tab.names() and "mug" in tab.names()[0] and page.locator("#terms li").count() == 1)
    page.click("#terms button")
    wait("a term can be removed", lambda: page.locator("#terms li").count() == 0)
    page.evaluate(
        """async () => { const png = await (await fetch(document.querySelector('#results img').src)).blob();
        const data = new DataTransfer(); data.items.add(new File([png], 'dropped.png', { type: 'image/png' }));
        dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })); }"""
    )
    wait("a dropped picture is searched for", lambda: page.locator("#terms img").count() == 1)
    page.click("#terms button")
    tab.loaded()
    detail(tab)
    page.click("#theme")
    tab.search("a red chair", "chair")
    tab.images()
    tab.shot("desktop-dark")
    expect(f"contrasts are at least 4.5, dark {page.evaluate(CONTRAST)}", not page.evaluate(CONTRAST))
    page.reload()
    tab.loaded()
    expect("the address keeps the query, and the browser the theme", page.input_value("#text") == "a red chair" and page.evaluate("document.documentElement.dataset.theme") == "dark")
    tab.end("desktop")


def detail(tab):
    """The dialog, by keyboard."""
    page = tab.page
    page.fill("#text", "")
    page.locator("body").click(position={"x": 5, "y": 400})
    page.keyboard.press("/")
    page.keyboard.type("a red chair")
    wait("a slash goes to the search box", lambda: page.input_value("#text") == "a red chair")
    wait("chairs are found", lambda: tab.names() and "chair" in tab.names()[0])
    tab.loaded()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    wait("enter opens a file", lambda: page.locator("#detail[open]").count() == 1)
    wait("similar shapes are shown", lambda: page.locator("#similar .card").count() == 12)
    wait("labels are shown", lambda: page.locator("#labels li").count() >= 1)
    wait("facts are shown", lambda: "Triangles" in page.inner_text("#table"))
    wait("the shape is loaded", lambda: page.inner_text("#stage-message") == "" and page.is_visible("#canvas"))
    start = pixels(page)
    tab.until("[...document.querySelectorAll('#similar img')].slice(0, 7).every(i => i.complete && i.naturalWidth)")
    tab.shot("dialog")
    page.focus("#canvas")
    page.keyboard.press("ArrowRight")
    turned = pixels(page)
    expect("arrow keys turn the shape", turned != start)
    page.keyboard.press("w")
    expect("W shows the wireframe", pixels(page) != turned and page.get_attribute("#wireframe", "aria-pressed") == "true")
    tab.shot("dialog-wireframe")
    page.keyboard.press("w")
    page.keyboard.press("0")
    expect("0 resets the view", pixels(page) == start)
    page.select_option("#background", "black")
    dark = pixels(page)
    expect("another background", dark != start)
    page.focus("#canvas")
    page.keyboard.press("t")
    wait("T turns the shape", lambda: pixels(page) != dark)
    expect("and says so", page.get_attribute("#turning", "aria-pressed") == "true")
    page.keyboard.press("t")
    page.keyboard.press("0")
    wait("and stops", lambda: pixels(page) == dark)
    page.select_option("#background", "")
    box = page.locator("#canvas").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 230)
    page.mouse.up()
    dragged = pixels(page)
    expect("dragging turns the shape", dragged != start)
    page.mouse.wheel(0, 200)
    zoomed = pixels(page)
    expect("the wheel zooms", zoomed != dragged)
    page.select_option("#up", "z")
    expect("another up axis turns the shape", pixels(page) != zoomed)
    page.click("#copy")
    expect("the path is copied", page.evaluate("navigator.clipboard.readText()").endswith(page.inner_text("#detail-title")))
    with page.expect_download() as download:
        page.click("#download")
    title = page.inner_text("#detail-title")
    expect("the original is downloaded", download.value.suggested_filename == title and pathlib.Path(download.value.path()).read_bytes() == (SAMPLES / title).read_bytes())
    page.locator("#similar .card").nth(1).click()
    wait("a similar shape opens in its place", lambda: page.inner_text("#detail-title") != title)
    for name in ("car_03.npy", "apple_02.ply", "boat.obj", "table_02.off", "dog_02.pcd", "tree_02.xyz"):
        page.keyboard.press("Escape")
        page.fill("#text", "")
        page.fill("#where", f"name = '{name}'")
        wait(f"{name} is listed", lambda: tab.names() == [name])
        page.locator("#results .card").click()
        wait(f"{name} is shown", lambda: page.inner_text("#detail-title") == name and page.inner_text("#stage-message") == "" and page.is_visible("#canvas"))
        pixels(page)
        page.locator("#canvas").screenshot(path=OUT / f"viewer-{name}.png")
    page.keyboard.press("Escape")
    wait("escape closes the dialog", lambda: page.locator("#detail[open]").count() == 0)
    page.fill("#where", "")
    tab.loaded()


def library_map(browser):
    tab = Page(browser, viewport={"width": 1280, "height": 1000}, color_scheme="light")
    page = tab.page
    page.click("#map-button")
    wait("the map is there", lambda: "close together" in page.inner_text("#map-message"), 60)
    page.locator("#map-canvas").scroll_into_view_if_needed()
    tab.until("performance.getEntriesByType('resource').filter(r => r.name.includes('size=128')).length > 20")
    before = hash(page.locator("#map-canvas").screenshot())
    tab.search("something to sit on", "chair")
    wait("a search lights answers", lambda: hash(page.locator("#map-canvas").screenshot()) != before)
    page.focus("#map-canvas")
    page.keyboard.press("ArrowRight")
    wait("arrow keys choose a file", lambda: page.is_visible("#map-card") and page.inner_text("#map-chosen") != "")
    tab.shot("map")
    chosen = page.inner_text("#map-card .name")
    page.keyboard.press("Enter")
    wait("Enter opens it", lambda: page.is_visible("#detail") and page.inner_text("#detail-title") == chosen)
    page.keyboard.press("Escape")
    expect(f"contrast {page.evaluate(CONTRAST)}", not page.evaluate(CONTRAST))
    page.mouse.move(640, 700)
    page.mouse.wheel(0, -800)
    page.keyboard.press("0")
    page.click("#map-button")
    expect("the map is hidden", not page.is_visible("#map-canvas"))
    tab.end("map")


def phone(browser):
    tab = Page(browser, viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True, is_mobile=True, color_scheme="light")
    page = tab.page
    tab.search("something to drink from", "bottle")
    tab.images()
    expect("nothing is wider than the phone", page.evaluate("document.documentElement.scrollWidth") <= 390)
    tab.shot("phone")
    page.locator("#results .card").first.tap()
    wait("the shape is loaded", lambda: page.locator("#similar .card").count() == 12 and page.inner_text("#stage-message") == "")
    pixels(page)
    tab.shot("phone-dialog")
    expect("the dialog is not wider than the phone", page.evaluate("document.querySelector('#detail').scrollWidth") <= 390)
    tab.end("phone")


def below_a_path(browser):
    tab = Page(browser, url=proxy(URL), viewport={"width": 1000, "height": 700})
    tab.search("a car", "car")
    tab.images()
    tab.page.locator("#results .card").first.click()
    wait("the page works below a path", lambda: tab.page.locator("#similar .card").count() == 12)
    tab.end("below a path")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        chromium = shutil.which("chromium")
        arguments = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = driver.chromium.launch(executable_path=chromium, args=arguments)
        desktop(browser)
        library_map(browser)
        phone(browser)
        below_a_path(browser)
        browser.close()
    print("the page works")


main()
