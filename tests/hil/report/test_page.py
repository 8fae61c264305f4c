"""report.html: whole, offline, escaped, small; what it draws is where it should be."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import msgspec
import pytest

from hil.faults import mission_time
from hil.report import TestOutcome, write_report
from hil.report.contents import BUNDLES
from hil.report.page import MOST, render
from hil.runs.run import Plan, fly_plan
from hil.scenario.scenario import parse_scenario
from hil.verdict.result import FrameMark, Measurement, Mismatch, Moment, RunResult
from protocols.lander import EPOCH
from tests.hil.report.reader import Element, read
from tests.hil.report.runs import QUIET, changed, quiet, reported, rough

HOSTILE = "</pre><script>alert(1)</script>&amp;\x1b[31m\x00\u202e\udcff\"'\r\n"


def page(*results: RunResult) -> Element:
    return read(render(reported(*results)))


def test_one_file_that_fetches_nothing(tmp_path: Path) -> None:
    path = write_report(reported(quiet(), rough()), tmp_path / "out")
    assert path == tmp_path / "out" / "report.html"
    assert sorted(p.name for p in path.parent.iterdir()) == ["junit.xml", "report.html", "report.json"]
    text = path.read_text(encoding="utf-8")
    assert any("default-src 'none'" in meta.attributes.get("content", "") for meta in read(text).all("meta"))
    for element in read(text).all():
        for key in ("src", "href", "data", "action", "poster", "srcset"):
            assert element.attributes.get(key, "#").startswith(("#", "./")), element
        assert element.tag not in ("img", "iframe", "link", "object", "base", "image")
    outside = set(re.findall(r"https?://[^\s\"'<]+", text)) - {"http://www.w3.org/2000/svg"}
    assert not outside
    assert not re.search(r"@import|url\((?!#)", text)


def test_the_verdict_and_the_limits_come_first() -> None:
    run = rough()
    body = page(run).one("body")
    assert body.one("h1").text == "✗ FAIL rough on software"
    headings = [e for e in body.all() if e.tag in ("h1", "table", "h2")]
    assert [e.tag for e in headings[:3]] == ["h1", "table", "h2"]
    table = headings[1]
    rows = [row for row in table.one("tbody").all("tr") if "note" not in row.classes]
    assert [row.one("th").text for row in rows] == [m.name for m in run.measurements]
    for row, measured in zip(rows, run.measurements, strict=True):
        cells = [cell.text for cell in row.all("td")]
        assert cells[0].endswith(f" {measured.state}")
        assert cells[2:] == [measured.unit, measured.limit, measured.marginal]
    notes = [row.text for row in table.all("tr", "note")]
    assert notes == [m.note for m in run.measurements if m.note]


def test_several_runs_have_an_overview_and_those_that_failed_are_open() -> None:
    body = page(quiet(), rough(), changed(quiet(), run="quiet-again")).one("body")
    assert body.one("h1").text == "✗ FAIL 3 runs"
    rows = body.one("table", "overview").one("tbody").all("tr")
    assert [row.one("th").text for row in rows] == ["quiet", "rough"]
    assert "2 of 2 pass" in rows[0].text
    assert "golden_to_los" in rows[1].text
    runs = body.all("details", "run")
    assert ["open" in run.attributes for run in runs] == [False, True, False]
    ids = [e.attributes["id"] for e in body.all() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    assert {a.attributes["href"][1:] for a in body.one("table", "overview").all("a")} < set(ids)


def test_nothing_flown_passes_nothing() -> None:
    assert "UNSET 0 runs" in page().one("h1").text


@pytest.mark.parametrize("field", ["console", "toml", "title", "run", "scenario", "target", "replay", "error", "line"])
def test_whatever_a_run_says_is_text(field: str) -> None:
    text = render(reported(changed(rough(), **{field: HOSTILE}), quiet()))
    text.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", text)
    scripts = [e.text for e in read(text).all("script")]
    assert len(scripts) == 1
    assert "alert" not in scripts[0]


def test_lists_of_a_run_are_text_too() -> None:
    run = changed(
        rough(),
        measurements=[
            Measurement(name=HOSTILE, value=HOSTILE, unit=HOSTILE, limit=HOSTILE, state="FAIL", note=HOSTILE)
        ],
        faults=[msgspec.structs.replace(f, text=HOSTILE, kind=HOSTILE) for f in rough().faults],
        applied=[msgspec.structs.replace(e, what=HOSTILE, kind=HOSTILE) for e in rough().applied],
        moments=[Moment(time=EPOCH, lane=HOSTILE, text=HOSTILE, tone=HOSTILE)],
        frames=[FrameMark(EPOCH, -1, HOSTILE)],
        provenance={HOSTILE: HOSTILE},
        artefacts={HOSTILE: "../../../etc/passwd", "web": "javascript:alert(1)", "x": "https://example.com/"},
        mismatch=Mismatch(stream=HOSTILE, offset=0, frame=0, scet=None, start=0, expected="<b>", found="00"),
    )
    body = page(run)
    assert len(body.all("script")) == 1
    links = [a.attributes["href"] for a in body.all("a")]
    assert len(links) == 3
    assert all(re.fullmatch(r"\./[^/:]+(/[^/:]+)+", link) and ".." not in link for link in links)


def test_the_console_keeps_its_last_words() -> None:
    run = changed(rough(), console="first\n" + "x" * 50_000 + "\nlast <words>\r\n")
    console = page(run).one("pre", "console")
    assert console.text.endswith("last <words>\n")
    assert len(console.text) < 21_000
    assert "characters are only in the bundle" in page(run).text


def test_fault_windows_stand_at_their_times() -> None:
    strip = page(rough()).one("div", "strip")
    first, last = (int(strip.attributes[key]) for key in ("data-first", "data-last"))
    assert first == EPOCH // 10**6
    drawn = {}
    for window in strip.all("g", "window"):
        edges = [float(line.attributes["x1"].removesuffix("%")) for line in window.all("line")]
        shade = window.one("rect").attributes
        x, width = (float(shade[key].removesuffix("%")) for key in ("x", "width"))
        assert (x, x + width) == pytest.approx((edges[0], edges[-1]), abs=0.002)
        drawn[int(window.attributes["data-fault"])] = (x, x + width)
    windows = {0: ("09:08:00", "09:08:00"), 1: ("09:09:00", "09:09:00"), 2: ("09:09:30", "09:09:49.9")}
    for fault, times in windows.items():
        places = [100 * (mission_time(time) // 10**6 - first) / (last - first) for time in times]
        assert drawn[fault] == pytest.approx(places, abs=0.002)
    los = mission_time("09:11:05") // 10**6
    mismatch = strip.one("line", "mismatch")
    assert rough().mismatch is not None
    assert mismatch.attributes["x1"] == strip.all("g", "window")[0].all("line")[0].attributes["x1"]
    planned = strip.one("line", "planned")
    assert planned.attributes["x1"] == planned.attributes["x2"]
    assert float(planned.attributes["x1"][:-1]) == pytest.approx(100 * (los - first) / (last - first), abs=0.002)


def test_the_curves_go_through_what_was_received() -> None:
    run = rough()
    strip = page(run).one("div", "strip")
    first, last = (int(strip.attributes[key]) for key in ("data-first", "data-last"))
    curve = strip.one("path", "altitude")
    top, height = float(curve.attributes["data-top"]), float(curve.attributes["data-height"])
    pieces = curve.attributes["d"].split("M")[1:]
    assert len(pieces) == 2, "cut by the silence of 20 s; a single frame is no cut"
    places = [tuple(map(float, p.split())) for p in curve.attributes["d"].replace("M", "L").split("L")[1:]]
    at = {sample.scet // 10**6: sample.altitude for sample in run.samples}
    for x, y in (places[0], places[-1], places[len(places) // 2]):
        time = first + x / 1000 * (last - first)
        nearest = min(at, key=lambda t: abs(t - time))
        assert abs(nearest - time) < 5
        assert (height - y) / height * top * 1000 == pytest.approx(at[nearest], abs=top)


def test_lanes_show_every_reject_gap_and_fault() -> None:
    run = rough()
    strip = page(run).one("div", "strip")
    names = [e.text for e in strip.one("svg", "gutter").all("text")]
    for name in ("VC0 lander", "VC2 bus", "rejects", "fault 0", "fault 3", "contact", "event"):
        assert name in names
    rejects = sum(frame.quality != "GOOD" for frame in run.frames)
    assert rejects
    assert strip.one("path", "reject").attributes["d"].count("M") == rejects
    good = sum(frame.vcid == 0 and frame.quality == "GOOD" for frame in run.frames)
    assert f"{good:,}, 3 gaps" in names
    assert [path.attributes["d"].count("M") for path in strip.all("path", "gap")[:2]] == [3, 3]
    assert len(strip.all("use")) == len(run.moments)


def test_closeups_show_single_frames() -> None:
    shots = page(rough()).all("figure", "closeup")
    titles = [shot.one("figcaption").text for shot in shots]
    assert any("First byte that differs" in title for title in titles)
    assert any("Planned loss" in title and "09:11:05.000" in title for title in titles)
    around = next(shot for shot in shots if "09:11:05.000" in shot.one("figcaption").text)
    vc0 = around.all("path", "frame")[0].attributes["d"]
    start = mission_time("09:11:05") - 1_250_000_000
    came = [f for f in rough().frames if f.vcid == 0 and start <= f.time <= start + 2_500_000_000]
    assert vc0.count("M") == len(came) == 9
    assert len(page(quiet()).all("figure", "closeup")) == 1


def test_a_hex_diff_marks_what_differs_and_nothing_else() -> None:
    expected = bytes(range(40))
    found = bytearray(expected)
    found[17] ^= 1
    found[33] ^= 0x80
    found = found[:38]
    mismatch = Mismatch(
        stream="sent by the target", offset=1017, frame=7, scet=mission_time("09:09:00.700"), start=1000,
        expected=expected.hex(), found=found.hex(),
    )  # fmt: skip
    body = page(changed(rough(), mismatch=mismatch))
    box = body.one("pre", "hex")
    assert [m.text for m in box.all("mark")] == ["11", "10", "21", "26", "27", "a1", "··", "··"]
    lines = box.text.split("\n")
    assert lines[0] == f"    1000 E {expected[:16].hex(' ')}"
    for line in (n for n, text in enumerate(lines) if "^^" in text):
        above, below = lines[line - 2], lines[line - 1]
        differing = [n for n in range(11, len(above), 3) if above[n : n + 2] != below[n : n + 2]]
        assert [m.start() for m in re.finditer(r"\^\^", lines[line])] == differing
    assert "frame 7 at its byte 93" in body.text
    assert "09:09:00.700" in body.text


def test_bounds() -> None:
    one = len(render(reported(rough())).encode())
    assert one < 200_000
    assert len(render(reported(*[rough()] * 40)).encode()) < 6_400_000
    entry, moment = rough().applied[0], rough().moments[0]
    storm = changed(
        rough(),
        applied=[entry] * 5000,
        applied_dropped=123,
        moments=[msgspec.structs.replace(moment, time=EPOCH + n * 10**8) for n in range(3000)],
        frames=[FrameMark(EPOCH + n * 10**8, 0 if n % 2 else -1, "GOOD" if n % 2 else "CRC") for n in range(3220)],
        samples=rough().samples[::5],
        console="y" * 10**6,
    )
    text = render(reported(storm))
    assert len(text.encode()) < 400_000
    assert "and 5,023 more occurrences" in text
    assert "2,880 more" in text


def test_a_run_that_broke_at_once_is_still_a_report() -> None:
    empty = changed(
        quiet(), error="qemu died: signal 9", state="UNSET", measurements=[], faults=[], applied=[], moments=[],
        samples=[], frames=[], interarrival_ms=[], planned_los=None, observed_los=None, artefacts={},
    )  # fmt: skip
    body = page(empty).one("body")
    assert body.one("h1").text.startswith("✗ FAIL")
    assert "qemu died: signal 9" in body.text
    assert "nothing received" in body.text


def test_real_time_lies_on_the_mission_s_scale() -> None:
    run = rough()
    speed, start = 10.0, 1_800_000_000 * 10**9
    frames = [FrameMark(start + (f.time - EPOCH) // 10, f.vcid, f.quality) for f in run.frames]
    moments = [msgspec.structs.replace(m, time=start + (m.time - EPOCH) // 10) for m in run.moments]
    applied = [msgspec.structs.replace(e, at=start + (e.at - EPOCH) // 10) for e in run.applied]
    real = changed(run, mode="realtime", speed=speed, start=start, frames=frames, moments=moments, applied=applied)
    strips = [page(r).one("div", "strip") for r in (run, real)]
    for kind in ("frames", "reject", "occurrence"):
        there, here = ([path.attributes["d"] for path in strip.all("path", kind)] for strip in strips)
        assert there == here != []


def test_who_cannot_see_it_is_told() -> None:
    body = page(rough(), quiet()).one("body")
    plots = body.all("svg", "plot")
    assert len(plots) >= 6
    for plot in plots:
        assert plot.attributes["role"] == "img"
        assert plot.children[0].tag == "title"
        assert plot.children[0].text
        assert plot.children[1].tag == "desc"
        assert plot.children[1].text
    for table in body.all("table"):
        assert table.one("caption").text
        assert all("scope" in head.attributes for head in table.all("th"))
    for scrolled in (e for e in body.all() if e.attributes.get("tabindex") == "0"):
        assert scrolled.attributes["aria-label"]
    levels = [int(e.tag[1]) for e in body.all() if e.tag in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


@pytest.mark.long
def test_of_very_many_runs_those_that_failed_are_shown() -> None:
    runs = [changed(quiet(), run=f"quiet-{n}") for n in range(2 * MOST)] + [rough()]
    body = page(*runs).one("body")
    shown = body.all("details", "run")
    assert len(shown) == MOST
    assert "rough" in shown[-1].one("h2").text
    assert len(body.all("section", "run")) == MOST + 1
    assert "quiet-7" in shown[7].one("h2").text


def test_a_broken_clock_does_not_stretch_the_drawing() -> None:
    run = rough()
    first = msgspec.structs.replace(run.samples[0], scet=2**62)
    wild = changed(run, samples=[*run.samples, first], frames=[FrameMark(0, 0, "GOOD")])
    strip = page(wild).one("div", "strip")
    assert int(strip.attributes["data-last"]) - int(strip.attributes["data-first"]) < 4000 * 1000
    assert "2 marks would lie outside" in page(wild).text


def test_links_lead_into_the_bundle(tmp_path: Path) -> None:
    scenario = parse_scenario(QUIET)
    plan = Plan(scenario, "software", "lockstep", tmp_path / BUNDLES / "quiet #1", "hil run quiet")
    ticks = iter(range(0, 10**12, 10**9))
    result = fly_plan(plan, lambda: next(ticks), lambda _: None)
    text = write_report(reported(result), tmp_path).read_text(encoding="utf-8")
    links = [unquote(a.attributes["href"]) for a in read(text).all("a")]
    assert len(links) == len(result.artefacts) > 3
    assert all((tmp_path / link).is_file() for link in links)


def test_first_difference_is_told_by_its_field() -> None:
    run = rough()
    assert run.mismatch is not None
    late = msgspec.structs.replace(run.mismatch, field="DESCENT.phase DROGUE, expected AEROBRAKING")
    body = page(changed(run, mismatch=late), quiet()).one("body")
    assert body.one("p", "field").text == "DESCENT.phase DROGUE, expected AEROBRAKING"
    assert "golden_to_los: DESCENT.phase DROGUE, expected AEROBRAKING" in body.one("table", "runs").text


def test_tests_that_did_not_pass_come_first_with_what_they_flew() -> None:
    flew = changed(quiet(), test="test_a.py::test_flies")
    tests = [
        TestOutcome(test="test_a.py::test_flies", ended="PASS"),
        TestOutcome(test=f"test_a.py::test_{HOSTILE}", ended="SKIP", why=HOSTILE),
        TestOutcome(test="test_a.py::test_asserts", ended="FAIL", why=HOSTILE, text=HOSTILE),
    ]
    body = read(render(reported(flew, tests=tests))).one("body")
    assert body.one("h1").text == "✗ FAIL 3 tests, 1 run"
    rows = body.one("table", "tests").one("tbody").all("tr")
    assert [row.all("td")[0].text for row in rows] == ["✗ FAIL", "– SKIP", "✓ PASS"]
    (link,) = rows[2].all("a")
    assert link.attributes["href"][1:] in [e.attributes.get("id") for e in body.all()]
    assert not body.one("table", "tests").all("script")
