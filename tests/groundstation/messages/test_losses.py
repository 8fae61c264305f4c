"""The losses that a station's viewers still have to see."""

from __future__ import annotations

import msgspec

from groundstation.messages.losses import LossBook
from groundstation.messages.wire import Acknowledgement, ContactChange, LosVerdict
from tests.groundstation.tui.scripted import contact, host, verdict


def lost(at: float, vcid: int | None = 0) -> ContactChange:
    seen = msgspec.structs.replace(verdict(at), vcid=vcid)
    return msgspec.structs.replace(contact(at + 0.2, "LOS", "LOCKED", seen), vcid=vcid)


def regained(at: float) -> ContactChange:
    return msgspec.structs.replace(contact(at, "LOCKED", "ACQUIRING"), outage_ms=4000)


def book(*news: ContactChange | Acknowledgement) -> LossBook:
    known = LossBook()
    for each in news:
        known.take(each)
    return known


def acknowledged(known: LossBook, until: int | None = None, who: str = "ada") -> Acknowledgement | None:
    news = known.acknowledge(who, host(400.0), until)
    if news is not None:
        known.take(news)
    return news


def test_loss_is_open_until_acknowledged() -> None:
    known = book(lost(200.0))
    news = acknowledged(known)
    assert news is not None and news.who == "ada" and news.ert == host(400.0)
    assert [(each.vcid, each.channel) for each in news.losses] == [(0, "LANDER")]
    (loss,) = known.losses
    assert loss.acknowledged == news and loss.regained is None
    assert acknowledged(known) is None


def test_loss_that_ended_stays_open_and_known() -> None:
    known = book(lost(200.0), regained(205.0))
    assert acknowledged(known) is not None
    (loss,) = known.losses
    assert loss.regained == regained(205.0) and loss.acknowledged is not None


def test_next_loss_of_a_channel_is_another_one() -> None:
    known = book(lost(200.0), regained(205.0))
    acknowledged(known)
    known.take(lost(210.0))
    (loss,) = known.losses
    assert loss.acknowledged is None and loss.regained is None
    assert loss.verdict.declared_ert == host(210.2)


def test_revised_verdict_is_the_same_loss_and_stays_acknowledged() -> None:
    known = book(lost(200.0))
    news = acknowledged(known)
    better: LosVerdict = msgspec.structs.replace(verdict(200.0), cause="SILENCE", evidence="not one byte")
    known.take(msgspec.structs.replace(contact(203.0, "LOS", "LOS", better), revised=True))
    (loss,) = known.losses
    assert (loss.verdict.cause, loss.acknowledged) == ("SILENCE", news)


def test_falling_silent_before_it_was_acquired_is_no_second_loss() -> None:
    known = book(lost(200.0), contact(205.0, "ACQUIRING", "LOS"), contact(205.3, "LOS", "ACQUIRING"))
    (loss,) = known.losses
    assert loss.regained is None and loss.verdict == verdict(200.0)


def test_what_was_declared_after_the_request_was_given_stays_open() -> None:
    known = book(lost(200.0), lost(210.0, vcid=2), lost(220.0, vcid=None))
    news = acknowledged(known, until=host(210.2))
    assert news is not None and [each.vcid for each in news.losses] == [0, 2]
    assert [loss.vcid for loss in known.losses if loss.acknowledged is None] == [None]


def test_acknowledgement_of_another_loss_changes_nothing() -> None:
    early = acknowledged(book(lost(100.0)))
    assert early is not None
    known = book(lost(200.0), early)
    assert known.losses[0].acknowledged is None


def test_a_snapshots_losses_take_the_place_of_all_that_was_known() -> None:
    known, station = book(lost(200.0)), book(lost(210.0, vcid=2))
    known.adopt(station.losses)
    assert known.losses == station.losses
