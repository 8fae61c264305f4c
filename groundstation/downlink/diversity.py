"""Several links of one station: each one's own contact and counts, and the merger of their frames. Sans-I/O.

Rules:
1. Each link has its own frame counter and contact monitor, as if it were the only one: gaps of the MCFC are its own, as
   a relay counts what it relays.
2. A link's loss or return is an event of that link. Whether a channel is lost, the merged frames say.
3. Why a channel is lost, those links say that were the last to bring it. Of several causes the one is taken that lies
   farthest from the station: a link that is open and silent proves more than one that is unplugged.
4. Times that are compared between links are by the station's clock: a link's own, less what its clock is ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from groundstation.downlink.contact import TIMEOUT_FLOOR_MS, TIMEOUT_PERIODS, ContactMonitor, Finding
from groundstation.downlink.horizons import Horizons
from groundstation.links.base import NamedLink, TransportChange
from groundstation.messages.wire import Cause, ContactChange, EventMessage, LinkShare, Transport
from protocols.counts import FrameCounter
from protocols.counts.merger import FrameMerger
from protocols.declare.dictionary import Dictionary
from protocols.decode.frame_content import frame_counter
from protocols.profile import LinkProfile
from protocols.sync.deframer import Deframer
from protocols.sync.frames import TransferFrame
from protocols.units import NS_PER_MS, NS_PER_S
from protocols.words import GoodQuality, Severity

_FARTHEST: tuple[Cause, ...] = ("LANDER_ONLY", "RELAY_SET", "SILENCE", "CRC", "SYNC", "RELAY", "PORT", "STATION")
"""Causes by how far from the station they lie, the farthest first."""


class FrameFound(NamedTuple):
    """A good frame as its link brought it, and what is known of it before it is counted.

    ``ert`` is by the link's clock, ``at`` by the station's. ``offset`` is where its ASM starts in the link's stream.
    """

    frame: TransferFrame
    link: int
    offset: int
    quality: GoodQuality
    scet: int | None
    ert: int
    at: int


@dataclass(slots=True)
class _Link:
    """One link. ``ahead`` is how far its clock is ahead of the station's, in ns."""

    named: NamedLink
    deframer: Deframer
    counter: FrameCounter
    contact: ContactMonitor
    transport: Transport = "ATTEMPTING"
    detail: str = "not opened yet"
    ahead: int = 0
    good: int = 0
    foreign: int = 0
    rejected: int = 0
    last_ert: int | None = None


class Diversity:
    """The links of one station, and the merger of their frames.

    Attributes:
        merger: hands each frame on once.
        now: the latest time that any link reported, by the station's clock, in ns.
    """

    def __init__(
        self,
        links: Sequence[NamedLink],
        dictionary: Dictionary,
        profile: LinkProfile,
        planned: Mapping[int, int],
        horizons: Horizons,
        commands: int = 0,
    ) -> None:
        """Prepare.

        Args:
            links: two or more.
            dictionary: the mission's.
            profile: of the frames, the same on all links.
            planned: losses by VCID, as SCET in ns.
            horizons: of the mission's relays.
            commands: the place of the link over which telecommands go out.
        """
        periods = {c.vcid: c.period_ms * NS_PER_MS for c in dictionary.channels if c.vcid != profile.idle_vcid}
        self.merger: FrameMerger[FrameFound] = FrameMerger(len(links), profile.vcfc_modulus, periods)
        for number in range(len(links)):
            self.merger.connect(number, False, 0)
        self.now = 0
        self._timeouts = {vcid: max(TIMEOUT_PERIODS * ns, TIMEOUT_FLOOR_MS * NS_PER_MS) for vcid, ns in periods.items()}
        self._commands = commands
        self._links = [
            _Link(
                named,
                Deframer(profile),
                frame_counter(profile, dictionary),
                ContactMonitor(dictionary.channels, planned, horizons=horizons),
            )
            for named in links
        ]

    def named(self, link: int) -> NamedLink:
        """The link of that place."""
        return self._links[link].named

    def deframer(self, link: int) -> Deframer:
        """Its deframer."""
        return self._links[link].deframer

    @property
    def deframers(self) -> list[Deframer]:
        """Those of all links."""
        return [link.deframer for link in self._links]

    def connected(self, link: int | None = None) -> bool:
        """Whether a link's transport is there; None: that of any."""
        return any(each.transport == "CONNECTED" for each in (self._links if link is None else [self._links[link]]))

    @property
    def transport(self) -> tuple[Transport, str]:
        """That of the best link, and what each link says."""
        states: set[Transport] = {link.transport for link in self._links}
        best: Transport = next((s for s in ("CONNECTED", "ATTEMPTING") if s in states), "DISCONNECTED")
        return best, "; ".join(f"{link.named.name}: {link.detail}" for link in self._links)

    def time(self, link: int | None, ert: int) -> int:
        """A link's time by the station's clock; it becomes the latest, if it is later."""
        at = ert if link is None else ert - self._links[link].ahead
        self.now = max(self.now, at)
        return at

    def received(self, number: int, count: int, ert: int) -> list[EventMessage]:
        """A link read so many bytes."""
        link = self._links[number]
        link.last_ert = ert
        return self._events(link, link.contact.received(count, ert))

    def idle(self, number: int | None, ert: int, *, listening: bool = True) -> list[EventMessage]:
        """A link reported that nothing came; None: all did, by the station's clock."""
        if number is not None:
            link = self._links[number]
            return self._events(link, link.contact.advance(ert, listening))
        return [
            e for link in self._links for e in self._events(link, link.contact.advance(ert + link.ahead, listening))
        ]

    def changed(self, change: TransportChange) -> list[EventMessage]:
        """A link's transport changed; the merger waits for it, or does not any more."""
        link = self._links[change.link]
        link.ahead = change.ahead
        contact = link.contact
        changes = contact.transport(change.state, change.detail, change.peer, change.ert, change.disturbance)
        if change.disturbance != "moment":
            link.transport, link.detail = change.state, change.detail
        return self._events(link, changes)

    def rejected(self, number: int, crc: bool) -> list[EventMessage]:
        """A link's frame was rejected."""
        link = self._links[number]
        link.rejected += 1
        return self._events(link, link.contact.rejected(crc))

    def foreign(self, number: int) -> None:
        """A good frame of a link was not of this spacecraft."""
        self._links[number].good += 1
        self._links[number].foreign += 1

    def frame(self, found: FrameFound, length: int, *, declared: bool) -> list[EventMessage]:
        """A link's good frame, as far as it tells how the link fares."""
        link, frame = self._links[found.link], found.frame
        link.good += 1
        step = link.counter.count(frame, found.scet, found.ert)
        if not declared:
            link.contact.counted(frame.vcid, step)
            return []
        return self._events(link, link.contact.frame(frame.vcid, frame.vcfc, step, found.scet, found.ert, length))

    def judge(self, vcid: int, last: int) -> Finding:
        """Why a channel fell silent that was last heard at that time, by the station's clock."""
        found = []
        for link in self._links:
            heard = link.contact.last_heard(vcid)
            if heard is not None and heard - link.ahead >= last - self._timeouts.get(vcid, 0):
                found.append((link.named.name, link.contact.finding(vcid)))
        if not found:
            return Finding("STATION", "no link brought it")
        name, best = min(found, key=lambda each: _FARTHEST.index(each[1].cause))
        names = [name, *(other for other, finding in found if other != name and finding.cause == best.cause)]
        return best._replace(evidence=f"{' and '.join(names)}: {best.evidence}")

    def shares(self) -> list[LinkShare]:
        """What each link contributed so far."""
        return [self._share(n, link) for n, link in enumerate(self._links)]

    def _share(self, number: int, link: _Link) -> LinkShare:
        share, totals = self.merger.shares[number], link.contact.totals
        return LinkShare(
            name=link.named.name,
            url=link.named.url,
            transport=link.transport,
            detail=link.detail,
            state=link.contact.state,
            commands=number == self._commands,
            bytes_in=link.deframer.count().total,
            frames_good=link.good,
            first=share.first,
            duplicates=share.duplicates,
            only=share.only,
            conflicts=share.conflicts,
            stale=share.stale,
            foreign=link.foreign,
            rejected=link.rejected,
            lost=totals.lost.count,
            lost_certainty=totals.lost.certainty,
            last_ert=link.last_ert,
            channels=link.contact.status(),
        )

    def _events(self, link: _Link, changes: Iterable[ContactChange]) -> list[EventMessage]:
        """What changes of a link's own contact say to people: of its channels, when they are lost and heard again."""
        return [event for change in changes if (event := _event_of(link.named.name, change)) is not None]


def _event_of(name: str, change: ContactChange) -> EventMessage | None:
    if change.vcid is None or change.revised:
        return None
    severity: Severity = "ACTIVITY_LO"
    if change.state == "LOS" and change.verdict is not None:
        severity, word = "WARNING_LO", "LINK_LOS"
        text = f"{name} lost {change.channel}: {change.verdict.cause}, {change.verdict.evidence}"
    elif change.state == "LOCKED" and change.previous == "ACQUIRING":
        word, text = "LINK_AOS", f"{name} hears {change.channel}"
        if change.outage_ms is not None:
            text += f" again after {change.outage_ms * NS_PER_MS / NS_PER_S:.1f} s"
    else:
        return None
    return EventMessage(severity=severity, source="STATION", name=word, text=text, ert=change.ert)
