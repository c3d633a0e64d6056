"""The page in headless Chromium: it works, by keyboard too, in both themes and on paper, and runs nobody's script."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import NAMES, TEXTS, write_hostile

import canal_fast as cf
from canal_fast.report import write_report

pytestmark = [pytest.mark.slow, pytest.mark.unsanitized]
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
CONTRAST = """
const light = (c) => {
    const [r, g, b] = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const parsed = (text) => text.match(/[\\d.]+/g).map(Number);
const back = (element) => {
    for (let one = element; one; one = one.parentElement) {
        const colour = parsed(getComputedStyle(one).backgroundColor);
        if (colour.length < 4 || colour[3] > 0) return colour.slice(0, 3);
    }
    return [255, 255, 255];
};
const bad = [];
for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.getClientRects().length || element.closest("svg, script")) continue;
    const [a, b] = [light(parsed(getComputedStyle(element).color).slice(0, 3)), light(back(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push([element.tagName, element.className, element.textContent.slice(0, 30), ratio]);
}
return bad;
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="NOT RUN: selenium is not installed")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("NOT RUN: no chromium, or no chromedriver")
    home = tmp_path_factory.mktemp("home")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for option in (*OPTIONS, f"--user-data-dir={home / 'profile'}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(driver, env={**os.environ, "HOME": str(home)})
    browser = webdriver.Chrome(options, service)
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    count = 20_000
    rng = np.random.default_rng(4)
    frames = cf.make_frames(rng.choice([0x100, 0x1A0, 0x2B0, 0x3C0], count, p=[0.4, 0.3, 0.2, 0.1]), b"12345678")
    frames["timestamp_ns"] = 1_764_150_000_000_000_000 + np.arange(count, dtype=np.int64) * 1_000_000
    frames["channel"] = rng.integers(0, 2, count)
    frames["flags"][::3000] = int(cf.FrameFlag.ERROR_FRAME)
    cf.write_log(folder / "x.pcapng", frames, interfaces={0: ("engine", 500_000), 1: ("body", 500_000)})
    write_report(folder / "x.pcapng", folder / "x.html")
    return (folder / "x.html").as_uri()


@pytest.fixture
def browser(driver: Any, page: str) -> Iterator[Any]:
    """The page, fresh; whatever is done with it, the console stays empty."""
    driver.get_log("browser")
    driver.get(page)
    yield driver
    assert driver.get_log("browser") == []


def cells(browser: Any, place: int) -> list[str]:
    """Texts of a column of the identifiers that are shown."""
    script = (
        f"return [...document.querySelectorAll('#ids tbody tr:not([hidden])')].map(r => r.cells[{place}].innerText)"
    )
    found: list[str] = browser.execute_script(script)
    return found


def keys(browser: Any, *pressed: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(browser).send_keys(*pressed).perform()


def test_it_sorts(browser: Any) -> None:
    before = cells(browser, 1)
    assert before == ["100", "1A0", "2B0", "3C0"] * 2
    button = browser.find_element("css selector", "#ids button[data-key=count]")
    button.click()
    counts = [int(text.replace("\N{NARROW NO-BREAK SPACE}", "")) for text in cells(browser, 3)]
    assert counts == sorted(counts, reverse=True)
    heads = browser.find_elements("css selector", "#ids th[aria-sort]")
    assert [(head.text.split()[0], head.get_attribute("aria-sort")) for head in heads] == [("count", "descending")]
    button.click()
    assert heads[0].get_attribute("aria-sort") == "ascending"
    assert cells(browser, 3) == [f"{n:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") for n in sorted(counts)]


def test_it_searches(browser: Any) -> None:
    field = browser.find_element("id", "find")
    assert browser.find_element("id", "found").text == "8 of 8 shown"
    field.send_keys("body 1")
    assert cells(browser, 1) == ["100", "1A0"]
    assert browser.find_element("id", "found").text == "2 of 8 shown"
    field.send_keys("\ue00c")  # Escape
    assert len(cells(browser, 1)) == 8


def test_it_works_by_keyboard(browser: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    reached: list[str] = []
    for _ in range(60):
        keys(browser, Keys.TAB)
        active = browser.switch_to.active_element
        reached.append(active.get_attribute("data-key") or active.get_attribute("id") or active.tag_name)
        outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"nothing shows that {reached[-1]} has the focus"
        if reached[-1] == "theme":
            keys(browser, Keys.SPACE)
            assert active.get_attribute("aria-pressed") == "true"
        if reached[-1] == "svg" and "lines" not in reached:
            keys(browser, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
            said = browser.find_element("css selector", "output[for=load0]").text
            assert said.startswith("1.0 to 2.0 s: ")
            assert said.endswith(" %")
            reached.append("lines")
        if reached[-1] == "gaps":
            keys(browser, Keys.ENTER)
            assert active.find_element("xpath", "..").get_attribute("aria-sort") == "descending"
            break
    assert {"theme", "find", "order", "count", "gaps", "lines", "summary", "a"} <= set(reached)


@pytest.mark.parametrize("width", [1200, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_can_be_read(browser: Any, theme: str, width: int, tmp_path: Path) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        colour = browser.execute_script("return getComputedStyle(document.documentElement).backgroundColor")
        assert (colour == "rgb(255, 255, 255)") == (theme == "light")
        assert browser.execute_script(CONTRAST) == []
        wide = browser.execute_script("const r = document.documentElement; return r.scrollWidth - r.clientWidth")
        assert wide <= 0, "the page itself scrolls sideways"
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_it_prints(browser: Any) -> None:
    """Without what is of no use on paper, and light."""
    media = {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        for name in ("nav", "#theme", ".search"):
            shown = f"return getComputedStyle(document.querySelector('{name}')).display"
            assert browser.execute_script(shown) == "none", name
        assert browser.execute_script(CONTRAST) == []
        ink = browser.execute_script("return getComputedStyle(document.documentElement).color")
        assert ink == "rgb(27, 31, 36)"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    made = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert made.startswith(b"%PDF-")
    assert len(made) > 10_000


def test_it_can_be_read_without_script(browser: Any, page: str) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(page)
        body = browser.find_element("tag name", "body").text
        assert "8 of 8 shown" not in body
        assert "1A0" in body
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_hostile_names_are_text(driver: Any, tmp_path: Path) -> None:
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    recording, database = write_hostile(tmp_path)
    write_report(recording, tmp_path / "hostile.html", dbc=database)
    driver.get_log("browser")
    driver.get((tmp_path / "hostile.html").as_uri())
    assert driver.get_log("browser") == []
    assert driver.title.startswith("hostile.pcapng")
    assert driver.execute_script("return document.querySelectorAll('img, b, iframe').length") == 0
    assert driver.execute_script("return document.scripts.length") == 2
    body = driver.find_element("tag name", "body").text
    for name in (*NAMES[:3], *TEXTS):
        assert name in body
    driver.find_element("id", "find").send_keys("ONERROR")
    assert driver.find_element("id", "found").text == "3 of 12 shown"
    assert driver.execute_script("return JSON.parse(document.getElementById('data').textContent).summary")["frames"]
