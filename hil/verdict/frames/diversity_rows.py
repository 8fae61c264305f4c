"""A flight with relays: what the merged stream is held against. The rig knows which frame every link delivered.

Rules:
1. The truth comes from the channels: each link's bytes go through a frame search of their own, and the rig knows which
   of the frames that it finds are as they were sent. A relay sends the lander's frames in their order, without those
   that a failing chip had damaged: each has the number of the target's next one with its VCFC and time.
2. The merged stream has to have each frame that any link brought, once and in order.
3. Of two copies the earlier is the first; of the same moment, that of the link named first.
4. A frame takes the time from when it was sent to when the station had it in its place. What the bus brings is held at
   most a frame period for what a relay may still bring; what a relay brings in its stead is what the fail-over costs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from groundstation.downlink.receiver import FrameNote
from groundstation.messages.wire import LinkShare
from hil.channel.sent_frames import Number, SentFrames
from hil.verdict.flight_record import FlightRecord
from hil.verdict.result import Shown
from protocols.profile import LinkProfile
from protocols.sync.deframer import Deframer, Frame
from protocols.units import NS_PER_MS


class Row(NamedTuple):
    """A measurement, before it is judged."""

    name: str
    value: Shown
    note: str


class Copy(NamedTuple):
    """A frame that came through unchanged over a link."""

    at: int
    link: int
    number: Number


def diversity_rows(
    record: FlightRecord, notes: Iterable[tuple[int, FrameNote]], shares: list[LinkShare]
) -> Iterator[Row]:
    """The rows of a flight with relays.

    Args:
        record: of the flight.
        notes: the frames of the merged stream in order, each with when the station had it in its place.
        shares: of the links, as the station counts them.
    """
    profile, lander = record.mission.link_profile, record.vcid
    sent = [SentFrames(record.channel.cuts, record.channel.delivered("down"), profile)]
    sent += [SentFrames(relay.cuts, relay.delivered("down"), profile, sent[0]) for relay in record.relays]
    copies = sorted(
        Copy(at, link, number)
        for (link, offset), at in arrivals(record).items()
        if (number := sent[link].at(offset)) is not None
    )
    merged = [
        Copy(ert, note.link, number)
        for ert, note in notes
        if note.vcid is not None and (number := sent[note.link].at(note.offset)) is not None
    ]
    union, came = {copy.number for copy in copies}, Counter(copy.number for copy in merged)
    wrong = sorted(union ^ came.keys()) + [number for number, count in came.items() if count > 1]
    yield Row("merged_wrong", len(wrong), f"{len(union)} frames came over some link; the first wrong: {wrong[:1]}")
    yield Row("merged_disorder", _disorder(copy.number for copy in merged), "frames that came after a later one")
    target = {number for number in _sent_numbers(record, profile) if number.vcid == lander}
    lost = sorted(target - {number for number in union if number.vcid == lander})
    yield Row("lander_lost", len(lost), f"of {len(target)} frames that the lander sent; the first: {lost[:1]}")
    yield from _share_rows(record, copies, shares)
    yield from _times(record, merged, profile)


def arrivals(record: FlightRecord) -> dict[tuple[int, int], int]:
    """When each good frame of each link was found: by the link's place and the offset in its stream."""
    delays = [0, *(round(link.delay_ms * NS_PER_MS) for link in record.scenario.relays)]
    found: dict[tuple[int, int], int] = {}
    for link, channel in enumerate([record.channel, *record.relays]):
        deframer = Deframer(record.mission.link_profile)
        for piece in channel.delivered("down"):
            for each in deframer.feed(piece.data):
                if isinstance(each, Frame):
                    found[link, each.offset] = piece.at + delays[link]
    return found


def _sent_numbers(record: FlightRecord, profile: LinkProfile) -> Iterator[Number]:
    """The frames that the target sent while the station listened, until the slowest link cannot bring them any more."""
    slowest = max(round(link.delay_ms * NS_PER_MS) for link in record.scenario.relays)
    part, cuts = record.scenario.head.part, record.channel.cuts
    end = part.end - slowest if part.cut else part.end
    for number, cut in zip(SentFrames(cuts, (), profile).numbers, cuts, strict=True):
        if number is not None and cut.scet is not None and part.start <= cut.scet < end:
            yield number


def _disorder(numbers: Iterable[Number]) -> int:
    newest: dict[int, Number] = {}
    wrong = 0
    for number in numbers:
        last = newest.get(number.vcid)
        wrong += last is not None and number < last
        newest[number.vcid] = number if last is None else max(last, number)
    return wrong


def _share_rows(record: FlightRecord, copies: list[Copy], shares: list[LinkShare]) -> Iterator[Row]:
    """What each link brought: the station's counts beside the rig's, of all channels."""
    first: dict[Number, int] = {}
    duplicates: Counter[int] = Counter()
    links: dict[Number, set[int]] = {}
    for copy in copies:
        links.setdefault(copy.number, set()).add(copy.link)
        if first.setdefault(copy.number, copy.link) != copy.link:
            duplicates[copy.link] += 1
    firsts, only = Counter(first.values()), Counter(next(iter(each)) for each in links.values() if len(each) == 1)
    for place, share in enumerate(shares):
        said = (share.first, share.duplicates, share.only)
        true = (firsts[place], duplicates[place], only[place])
        text = "first {}, duplicates {}, only {}".format
        off = sum(abs(a - b) for a, b in zip(said, true, strict=True))
        yield Row(f"share_miscounted[{place}] {share.name}", off, f"the station says {text(*said)}; {text(*true)} are")


def _times(record: FlightRecord, merged: list[Copy], profile: LinkProfile) -> Iterator[Row]:
    """How long the lander's frames took that the bus brought, and those that a relay brought in its stead, in ms."""
    numbers = SentFrames(record.channel.cuts, (), profile).numbers
    sent = {number: cut.scet for number, cut in zip(numbers, record.channel.cuts, strict=True)}
    took: dict[bool, float] = {}
    heard = [copy for copy in merged if copy.number.vcid == record.vcid]
    for copy in heard[1:]:  # the first is held for those that may have come before it
        at = sent.get(copy.number)
        if at is not None:
            took[bool(copy.link)] = max(took.get(bool(copy.link), 0.0), (copy.at - at) / NS_PER_MS)
    if False in took:
        yield Row("held_most", took[False], "of the lander's frames that the bus brought")
    if True in took:
        yield Row("failover", took[True], "of the lander's frames that a relay brought")
