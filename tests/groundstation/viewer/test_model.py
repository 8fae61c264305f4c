"""The model: three states of a value, loss and return, gaps of the display, a station that is gone."""

from __future__ import annotations

import msgspec
import pytest

from groundstation.messages.base import Value
from groundstation.messages.commanding import CommandUpdate, UplinkStatus
from groundstation.messages.wire import (
    Acknowledgement,
    ContactChange,
    Heartbeat,
    LossId,
    LossStatus,
    ParameterInfo,
    Telemetry,
)
from groundstation.viewer.model import PassModel
from groundstation.viewer.source import StationBack, StationLost
from tests.groundstation.tui.scripted import (
    ENTRY,
    HOST,
    LOS,
    RECORDING,
    S,
    contact,
    descent,
    event,
    host,
    link,
    ordered,
    scet,
    script,
    snapshot,
    verdict,
)
from tests.shown import ALTITUDE


def flown(until: float, silent: tuple[float, float] = (LOS, 1e9)) -> PassModel:
    model = PassModel()
    model.apply(snapshot(), host(60.0))
    for at, update in script(until=until, silent=silent):
        assert not isinstance(update, StationLost | StationBack)
        model.apply(update, host(at))
    return model


def test_a_value_is_never_received_then_fresh_then_stale() -> None:
    model = PassModel()
    model.apply(snapshot(), host(60))
    assert model.reading(ALTITUDE, host(60)).freshness == "NEVER"
    model.apply(descent(100.0), host(100.0))
    assert model.reading(ALTITUDE, host(100.4)).freshness == "FRESH"
    assert model.reading(ALTITUDE, host(100.6)).freshness == "STALE"


@pytest.mark.parametrize(
    ("declared", "items"), [("p[].x", ["p[0].x", "p[1].x"]), ("p[].y[1]", ["p[0].y[1]", "p[1].y[1]"])]
)
def test_items_of_a_repeated_parameter_are_shown_as_they_are_declared(declared: str, items: list[str]) -> None:
    model = PassModel()
    info = ParameterInfo(packet="SCI", name=declared, unit="V", decimals=1, description="volts", period_ms=1000)
    model.apply(msgspec.structs.replace(snapshot(), parameters=[info]), host(60))
    assert model.keys("SCI") == []
    values: dict[str, Value | None] = dict(zip(items, (1.5, 2.5), strict=True))
    model.apply(Telemetry(packet="SCI", apid=1, vcid=0, scet=scet(61), ert=host(61), values=values), host(61))
    assert model.keys("SCI") == [("SCI", item) for item in items]
    reading = model.reading(("SCI", items[1]), host(61))
    assert (reading.value, reading.info.unit, reading.info.name) == (2.5, "V", items[1])


def test_a_value_that_is_not_valid_is_absent() -> None:
    reading = flown(100.0).reading(("DESCENT", "radio_altitude"), host(100.0))
    assert (reading.value, reading.valid, reading.freshness) == (None, False, "FRESH")


def test_at_loss_values_freeze_and_the_verdict_keeps_the_last_of_them() -> None:
    model = flown(LOS + 10)
    assert model.signal(0, host(LOS + 10)) == "LOS"
    assert model.signal(2, host(LOS + 10)) == "LOCKED"
    reading = model.reading(ALTITUDE, host(LOS + 10))
    assert reading.freshness == "STALE"
    assert 31 < float(reading.value or 0) < 32
    loss = model.banner_loss()
    assert loss is not None
    assert [last.info.name for last in loss.last] == ["altitude", "speed"]
    assert loss.since == host(LOS - 0.1)


def test_acknowledging_removes_the_banner_and_not_the_state() -> None:
    model = flown(LOS + 1)
    until = model.open_until
    assert until == host(LOS + 0.2)
    model.acknowledged(until, "ada@bench")
    assert model.banner_loss() is None and model.open_until is None
    assert model.signal(0, host(LOS + 1)) == "LOS"
    seen = model.last_loss()
    assert seen is not None and seen.acknowledged is not None and seen.acknowledged.who == "ada@bench"
    assert seen.verdict.cause == "LANDER_ONLY"


def test_another_viewers_acknowledgement_counts_here_too_and_is_logged() -> None:
    model = flown(LOS + 1)
    losses = [LossId(vcid=0, channel="LANDER", declared_ert=host(LOS + 0.2))]
    model.apply(Acknowledgement(ert=host(LOS + 2), who="eve@console", losses=losses), host(LOS + 2))
    assert model.banner_loss() is None
    assert model.log.entries[-1].text == "LANDER LOS by eve@console"


def test_an_acknowledgement_of_an_earlier_loss_leaves_this_one_open() -> None:
    model = flown(LOS + 1)
    losses = [LossId(vcid=0, channel="LANDER", declared_ert=host(200.0))]
    model.apply(Acknowledgement(ert=host(LOS + 2), who="eve@console", losses=losses), host(LOS + 2))
    assert model.banner_loss() is not None


def joined_late(acknowledged: Acknowledgement | None = None, regained: ContactChange | None = None) -> PassModel:
    """A viewer that comes a minute after the loss."""
    loss = LossStatus(vcid=0, channel="LANDER", verdict=verdict(), acknowledged=acknowledged, regained=regained)
    model, at = PassModel(), LOS + 60
    joined = msgspec.structs.replace(snapshot(at), link=link(at, "LOS"), telemetry=[descent(LOS - 0.1)], losses=[loss])
    model.apply(joined, host(at))
    return model


def test_a_late_viewer_sees_the_unacknowledged_loss() -> None:
    model = joined_late()
    loss = model.banner_loss()
    assert loss is not None and model.alarms == 1
    assert loss.since == host(LOS - 0.1)
    assert [last.info.name for last in loss.last] == ["altitude", "speed"]


def test_who_joins_late_sees_a_loss_that_ended_without_being_acknowledged() -> None:
    model = joined_late(regained=contact(LOS + 20, "LOCKED", "ACQUIRING"))
    loss = model.banner_loss()
    assert loss is not None and loss.regained is not None and loss.last == ()


def test_who_joins_late_hears_no_bell_for_what_was_acknowledged_and_can_read_it() -> None:
    seen = Acknowledgement(ert=host(LOS + 5), who="ada", losses=[])
    model = joined_late(acknowledged=seen)
    assert model.banner_loss() is None and model.alarms == 0
    loss = model.last_loss()
    assert loss is not None and loss.acknowledged == seen


def test_a_revised_verdict_is_no_second_alarm() -> None:
    model = flown(LOS + 1)
    change = contact(LOS + 1, "LOS", "LOS", model.losses[0].verdict)
    model.apply(msgspec.structs.replace(change, revised=True), host(LOS + 1))
    assert model.alarms == 1


def test_a_regained_signal_stays_on_the_banner_until_acknowledged() -> None:
    model = flown(250.0, silent=(240.0, 245.0))
    loss = model.banner_loss()
    assert loss is not None and loss.regained
    model.acknowledged(model.open_until or 0, "ada")
    assert model.banner_loss() is None
    assert model.last_loss() is not None


def test_a_station_that_is_gone_leaves_the_link_unknown() -> None:
    model = flown(200.0)
    assert model.gone_ns(host(201.9)) is None
    assert model.gone_ns(host(203.0)) == 3 * S
    assert model.signal(0, host(203.0)) == "UNKNOWN"
    model.apply(Heartbeat(ert=host(204), sequences={}), host(204))
    assert model.signal(0, host(204)) == "LOCKED"


def published(at: float) -> Telemetry:
    """A value that was published at ``at`` by a station whose clock is another than the viewer's."""
    return msgspec.structs.replace(descent(at), sent=int((at + 5000) * S))


def test_what_comes_late_is_stale_and_not_live() -> None:
    model = PassModel()
    model.apply(msgspec.structs.replace(snapshot(), sent=int(5060 * S)), host(60.0))
    model.apply(published(100.0), host(100.0))
    assert model.is_live(host(100.0)) and model.reading(ALTITUDE, host(100.0)).freshness == "FRESH"
    for second in range(1, 30):
        model.apply(published(100.0 + second / 10), host(100.0 + second))
    lag = 29 - 2.9
    assert abs(model.behind_ns(host(129.0)) - lag * S) < S // 100
    assert model.is_late(host(129.0)) and not model.is_live(host(129.0))
    reading = model.reading(ALTITUDE, host(129.0))
    assert reading.freshness == "STALE"
    assert abs(reading.age_ns - lag * S) < S // 100
    model.apply(published(130.0), host(130.0))
    assert model.is_live(host(130.0)) and model.reading(ALTITUDE, host(130.0)).freshness == "FRESH"


def test_a_station_that_decodes_behind_its_port_makes_late_values() -> None:
    model = flown(200.0)
    assert model.link is not None
    model.apply(msgspec.structs.replace(model.link, backlog_ms=4000), host(200.0))
    model.apply(descent(200.0), host(200.0))
    assert model.behind_ns(host(200.0)) == 4 * S
    assert model.reading(ALTITUDE, host(200.0)).age_ns == 4 * S
    assert not model.is_live(host(200.0))


def test_nothing_for_a_second_is_not_live_before_the_station_counts_as_gone() -> None:
    model = flown(200.0)
    assert model.is_live(host(200.9))
    assert not model.is_live(host(201.0)) and model.gone_ns(host(201.0)) is None


def restarted(model: PassModel, at: float) -> None:
    """The station is started again and knows nothing yet; its viewer joins it."""
    fresh = msgspec.structs.replace(snapshot(at), telemetry=[], events=[], started=host(at), pid=4712)
    model.apply(msgspec.structs.replace(fresh, link=link(-1000.0, "NO_SIGNAL")), host(at))


def test_a_station_that_was_started_again_says_so_and_old_values_stay_stale() -> None:
    model = flown(200.0)
    restarted(model, 205.0)
    now = host(205.0)
    assert model.restarted_ns(host(208.0)) == 3 * S and model.restarted_ns(host(300.0)) is None
    assert [entry.name for entry in model.log.entries].count("STATION_RESTARTED") == 1
    assert "DROGUE" in [entry.name for entry in model.log.entries]
    reading = model.reading(ALTITUDE, now)
    assert (reading.freshness, reading.age_ns) == ("STALE", 5 * S)
    assert reading.value == descent(200.0).values["altitude"]
    assert model.signal(0, now) == "NO_SIGNAL"
    assert model.clock == scet(200.0) and model.clock_frozen(now)
    model.apply(descent(205.5), host(205.5))
    assert model.reading(ALTITUDE, host(205.5)).freshness == "FRESH"
    assert model.reading(("LANDER_HK", "tick"), host(205.5)).freshness == "STALE"
    assert not model.clock_frozen(host(205.5))


def test_curves_and_loss_marks_of_two_runs_of_a_station_never_mix() -> None:
    model = flown(LOS + 5)
    restarted(model, LOS + 10)
    assert len(model.flight.series[ALTITUDE].samples) == 2240 and model.flight.earlier
    model.apply(descent(100.0), host(LOS + 11))
    assert [time for time, _ in model.flight.series[ALTITUDE].samples] == [scet(100.0)]
    assert not model.flight.loss_marks and not model.losses


def test_a_station_that_was_only_away_is_not_called_restarted() -> None:
    model = flown(200.0)
    model.station_lost(host(200.0))
    model.apply(snapshot(210.0), host(210.0))
    assert model.restarted_at is None
    assert len(model.flight.series[ALTITUDE].samples) == 1121


def test_the_log_of_a_station_whose_clock_is_behind_is_not_left_out() -> None:
    model = flown(200.0)
    early = msgspec.structs.replace(event(-500.0, "EARLY", "by a clock that was set back"), seq=0)
    model.apply(msgspec.structs.replace(snapshot(200.0), events=[early], started=1, pid=4712), host(205.0))
    assert [entry.name for entry in model.log.entries][-2:] == ["STATION_RESTARTED", "EARLY"]


def test_who_joins_late_has_commands_and_acknowledgements_in_the_log() -> None:
    done = ordered(1, "PING", "QUEUED", "SENT", "ACCEPTED", "COMPLETED", at=90.0)[-1]
    under_way = ordered(2, "HOLD", "QUEUED", "SENT", at=95.0)[-1]
    seen = Acknowledgement(ert=host(96.0), who="ada", losses=[LossId(vcid=0, channel="LANDER", declared_ert=1)])
    model = PassModel()
    joined = msgspec.structs.replace(snapshot(100.0), commands=[done, under_way], acknowledgements=[seen])
    model.apply(joined, host(100.0))
    names = [entry.name for entry in model.log.entries]
    assert names == ["STARTED", "BLACKOUT_START", "PING", "ACKNOWLEDGED"]
    model.apply(msgspec.structs.replace(joined, sequences={}), host(101.0))
    assert [entry.name for entry in model.log.entries] == names


def test_display_gaps_are_counted_from_sequences_and_heartbeats() -> None:
    model = PassModel()
    model.apply(snapshot(), HOST)
    for seq in (1, 2, 5):
        model.apply(Heartbeat(seq=seq, ert=HOST, sequences={"tm.DESCENT": 4}), HOST)
    assert model.gaps.missed == {"heartbeat": 2, "tm.DESCENT": 4}
    assert model.gaps.total == 6


def test_an_echo_of_the_snapshot_is_not_applied_twice() -> None:
    model = PassModel()
    model.apply(snapshot(), host(60))
    model.gaps.adopt({"contact": 3}, resumed=False)
    before = len(model.log.entries)
    model.apply(msgspec.structs.replace(contact(60, "LOCKED", "NO_SIGNAL"), seq=3), host(60))
    assert len(model.log.entries) == before
    assert model.gaps.total == 0


def test_clock_histories_and_recording() -> None:
    model = flown(LOS + 5)
    assert model.clock == ENTRY + int((LOS + 5) * S)
    assert model.mission_elapsed() == int((LOS + 5) * S)
    assert len(model.flight.series[ALTITUDE].samples) == 2240
    assert model.link is not None and model.link.recording == RECORDING
    assert list(model.flight.loss_marks) == [(0, ENTRY + int((LOS - 0.1) * 10) * S // 10)]


def test_news_of_commands_counts_and_changes_nothing_else() -> None:
    model = flown(100.0)
    before = (model.link, len(model.log.entries))
    news = CommandUpdate(
        seq=1, command=1, name="PING", arguments={}, who="ada", state="SENT", previous="QUEUED", ert=HOST
    )
    model.apply(news, HOST)
    model.apply(UplinkStatus(seq=2, ert=HOST, cop="ACTIVE", vs=1), HOST)
    assert (model.link, len(model.log.entries)) == before
    assert model.gaps.missed == {"uplink": 1}


def test_heartbeats_are_no_gaps_of_their_own() -> None:
    model = PassModel()
    for seq in range(1, 6):
        model.apply(Heartbeat(seq=seq, ert=HOST, sequences={"heartbeat": seq - 1}), HOST)
    assert model.gaps.missed == {}
