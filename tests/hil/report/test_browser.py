"""The report in a real browser: narrow and wide, light and dark, with its script and without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.report import write_report
from tests.hil.report.browser import CHROMIUM, Browser
from tests.hil.report.runs import changed, quiet, reported, rough

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: the report is not tried in a real browser"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def several(tmp_path: Path) -> Path:
    second = changed(quiet(), run="quiet-qemu", target="qemu", console="\x1b[1m<b>boot</b>\n" * 50)
    return write_report(reported(quiet(), rough(), second), tmp_path)


@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_fetches_nothing(browser: Browser, several: Path, width: int, dark: bool) -> None:
    browser.said.clear()
    browser.requests.clear()
    browser.window(width, dark=dark)
    browser.open(several)
    browser.ask("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert browser.ask("document.documentElement.scrollWidth") <= width
    light = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert (light == "rgb(255, 255, 255)") is not dark
    too_wide = """[...document.querySelectorAll('main *')].filter((e) => !e.closest('.scroll, pre, svg')
        && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 80))"""
    assert browser.ask(too_wide) == []
    flat = "[...document.querySelectorAll('svg.plot, svg.gutter')].filter((e) => e.getBoundingClientRect().width < 50)"
    assert browser.ask(f"{flat}.length") == 0
    assert browser.said == []
    assert set(browser.requests) == {several.as_uri()}


def test_labels_of_the_strip_do_not_hide_each_other(browser: Browser, several: Path) -> None:
    hidden = """[...document.querySelectorAll('.strip svg')].flatMap((svg) => {
        const boxes = [...svg.querySelectorAll('text')].map((e) => [e.textContent, e.getBoundingClientRect()])
            .filter(([, box]) => box.width);
        return boxes.flatMap(([a, p], n) => boxes.slice(n + 1).filter(([, q]) =>
            p.left + 1 < q.right && q.left + 1 < p.right && p.top + 4 < q.bottom && q.top + 4 < p.bottom)
            .map(([b]) => `${a} / ${b}`));
    })"""
    for width in (400, 900, 1600):
        browser.window(width)
        browser.open(several)
        browser.ask("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
        assert browser.ask(hidden) == [], width


def test_the_script_opens_widens_and_reads_off(browser: Browser, several: Path) -> None:
    browser.window(1000)
    browser.open(several, "#run-1-quiet-software")
    folds = "[...document.querySelectorAll('details.run')].map((fold) => fold.open)"
    assert browser.ask(folds) == [True, True, False]
    browser.ask("document.querySelector('header button').click()")
    assert browser.ask(folds) == [True, True, True]
    assert browser.ask("document.querySelectorAll('.command + button').length") == 3
    browser.ask("document.querySelector('.strip').scrollIntoView()")
    x, y = browser.ask(
        "(() => { const b = document.querySelector('.strip .plot').getBoundingClientRect();"
        " return [b.left + b.width * 0.6, b.top + 120]; })()"
    )
    browser.do("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    read = browser.ask("document.querySelector('.readout').textContent")
    values = r"altitude ([\d.]+) km  expected altitude ([\d.]+) km  speed ([\d.e+]+) m/s  expected speed ([\d.e+]+) m/s"
    found = re.fullmatch(rf"09:(\d\d):(\d\d\.\d{{3}})  {values}", read)
    assert found, read
    seconds = int(found[1]) * 60 + float(found[2])
    at = {round(s.scet / 1e8) % 36000 / 10: s for s in quiet().samples}
    sample = at[min(at, key=lambda time: abs(time - seconds))]
    for flown in (found[3], found[4]):
        assert float(flown) * 1000 == pytest.approx(sample.altitude, rel=0.02)
    for flown in (found[5], found[6]):
        assert float(flown) == pytest.approx(sample.speed, rel=0.02)
    wide = "document.querySelector('.strip .plot').getBoundingClientRect().width"
    before = browser.ask(wide)
    browser.ask("[...document.querySelectorAll('.tools button')].find((b) => b.textContent === '4×').click()")
    assert browser.ask(wide) == pytest.approx(4 * before)
    assert browser.said == []


def test_without_the_script_all_can_be_read(browser: Browser, several: Path) -> None:
    browser.window(900)
    browser.do("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(several)
        assert browser.ask("document.querySelectorAll('button').length") == 0
        assert (
            browser.ask("document.querySelector('details.run[open] .strip .plot').getBoundingClientRect().height") > 400
        )
        assert rough().replay in browser.ask("document.body.innerText")
        shown = "[...document.querySelectorAll('details.run, .runs tbody tr')].filter((e) => e.getClientRects().length)"
        assert browser.ask(f"{shown}.length") == 6
        box = "document.querySelector('.failed-only')"
        x, y = browser.ask(f"(() => {{ const b = {box}.getBoundingClientRect(); return [b.left + 4, b.top + 4]; }})()")
        for kind in ("mousePressed", "mouseReleased"):
            browser.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        assert browser.ask(f"{shown}.length") == 2
    finally:
        browser.do("Emulation.setScriptExecutionDisabled", value=False)
