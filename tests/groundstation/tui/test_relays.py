"""Relays and links on the screen: marks, shares, an elevation at its mask, and channels that are not expected yet."""

from __future__ import annotations

import msgspec
import pytest

from groundstation.messages.declared import relays_of
from groundstation.messages.wire import ChannelStatus, LinkShare, Telemetry
from groundstation.tui.drawing.glyphs import UNICODE
from groundstation.tui.drawing.spans import plain
from groundstation.tui.panels.contact import contact
from groundstation.tui.panels.rows import View
from groundstation.tui.views.relays import relay_rows
from groundstation.viewer.model import PassModel
from protocols.lander import MISSION, SURFACE_DATA
from tests.groundstation.tui.scripted import host, link, scet, snapshot

BUS = LinkShare(
    name="bus", url="serial:/dev/ttyACM0", transport="ATTEMPTING", detail="gone", state="LOS", commands=True,
    first=300, duplicates=10, only=20,
)  # fmt: skip
MARS5 = LinkShare(
    name="mars5", url="zmq:tcp://h:1", transport="CONNECTED", detail="", state="LOCKED", commands=False,
    first=100, duplicates=290, only=90, rejected=3,
)  # fmt: skip


def view(
    elevation: float | None = None, channels: list[ChannelStatus] | None = None, second: LinkShare = MARS5
) -> View:
    """A station with two links, that has heard the bus."""
    model = PassModel()
    status = msgspec.structs.replace(link(60, "LOCKED"), links=[BUS, second])
    if channels is not None:
        status = msgspec.structs.replace(status, channels=channels)
    hk = Telemetry(
        packet="BUS_HK", apid=0x202, vcid=2, scet=scet(60), ert=host(60), values={"tick": 600, "elevation": elevation}
    )
    first = msgspec.structs.replace(snapshot(), relays=relays_of(MISSION), link=status, telemetry=[hk])
    model.apply(first, host(60))
    return View(model, host(60), UNICODE)


def test_each_relay_is_shown_with_the_marks_of_its_figures() -> None:
    text = plain(relay_rows(view(elevation=56.0), 100))
    for line in (
        "MARS_6_BUS  alive [S]         2,029 km [C], +6.0 dB [A]",
        "MARS_5      failed [S]        range unknown",
        "MARS_4      out of range [F]  7,000,000 km [C], -64.8 dB [A]",
        "elevation 56.00°, relays above 15° [A]",
    ):
        assert line in text


def test_an_elevation_that_means_nothing_is_not_known() -> None:
    assert "elevation not known, relays above 15° [A]" in plain(relay_rows(view(), 100))


def test_each_link_is_shown_with_its_share() -> None:
    text = plain(relay_rows(view(), 100))
    assert "bus       ATTEMPTING     75.0 %  10 twice, 20 alone" in text and "commands" in text
    assert "100 first, 290 later copies, 90 from it alone" in text and "3 rejected" in text


def test_a_link_of_another_spacecraft_shows_its_foreign_frames() -> None:
    other = msgspec.structs.replace(MARS5, first=0, duplicates=0, only=0, rejected=0, foreign=2562)
    assert "0 too old, 2,562 foreign" in plain(relay_rows(view(second=other), 80))
    assert "foreign" not in plain(relay_rows(view(), 80))


@pytest.mark.parametrize("width", [40, 60, 100])
def test_the_contact_panel_has_a_row_for_each_link(width: int) -> None:
    lines = plain(contact(view(), width)).splitlines()
    assert [line.split()[0] for line in lines if "%" in line] == ["bus", "mars5"]


def test_a_channel_that_is_not_expected_yet_says_when_it_is() -> None:
    surface = ChannelStatus(vcid=1, name="surface", state="NO_SIGNAL", expected_from=SURFACE_DATA)
    lines = plain(contact(view(channels=[surface]), 60)).splitlines()
    assert any("surface" in line and "expected 09:13:28" in line for line in lines)
