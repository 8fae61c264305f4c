"""Each frame of one spacecraft in its place, by its counters, its time and what it carries.

What a frame is, in this order; ``jump`` is how many frames are missing before it if its VCFC is taken at its word:

    kind        when                                                            then
    FIRST       the first of its channel, or the first that is heard of it      counting starts here
                since the source started again
    NEXT        jump 0, and neither the time nor a sequence count contradicts   nothing is missing
    DUPLICATE   a recent frame had this VCFC and these bytes                    its packets are known already
    LATE        its place is in a hole, and its time fits there                 the loss is taken back
    RESTART     counters begin again (see `signs`)                       counting starts here
    STILL       the VCFC stands, and nothing says that a whole turn is missing  nothing is missing
    BACK        the VCFC steps back by more than time has room for              nothing is missing
    GAP         all else                                                        frames are missing

Rules, with their reasons:

1. A count is a number modulo 2ⁿ: after a silence of more than half a turn it does not say how many are missing. Then
   a sequence count of 14 bits that went up by one with every frame says it exactly; else the spacecraft's time and the
   frame period, exactly if they agree with the count; else the time of reception, about. If none can, it is at least
   the jump; a jump of 0 after a silence is unknown, not none.
2. One counter alone proves no restart: 250 → 3 is a loss of 8 as well. Two that begin again together do, or one with
   a time that steps back or a report that the source has started. A sequence count that goes on contradicts it: 14
   bits do not turn over by chance.
3. A counter that has stood still is not evidence of anything: some sources never count.
4. A time is believed if it agrees with its neighbours. One frame with a nonsense time, as of a clock that is not set,
   neither loses frames nor starts anything again; the second one in a row does as a clock that was set.
5. A restart concerns all channels. It is told once; what begins again on the others is the same restart.
6. A source that starts again and again says the same each time, byte for byte. So a report of having started is a
   duplicate only if nothing came between and both came at once, the first frame of all only if both came soon after
   each other, and any other frame only if that is not long ago.
7. What is missing at a restart is not lost. What the channel that begins again had sent is unknown. If frames of
   all channels are missing where it begins (by the MCFC), those of the others are told apart, as missing at a restart.
8. Everything is bounded: a table of 256 recent frames and some holes for each channel, 64 channels, 2,048 APIDs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from protocols.ccsds.space_packet import SEQUENCE_MODULO
from protocols.ccsds.tm_frame import MCFC_MODULUS
from protocols.counts.channel import EARLY, MEMORY, ROOM, SMALL_JUMP, Channel, Master, Recent, Seen, seen_of
from protocols.counts.holes import Hole
from protocols.counts.lost import NOTHING, Lost, at_least
from protocols.counts.pace import Pace
from protocols.counts.sequences import PacketSequence
from protocols.counts.signs import STARTED, prove_restart, restart_signs
from protocols.counts.step import FrameStep
from protocols.counts.turns import frames_between, tolerance_of, with_turns
from protocols.sync.frames import TransferFrame
from protocols.tuples import maker
from protocols.units import NS_PER_DAY, NS_PER_MS, NS_PER_S
from protocols.words import Certainty

_TELLS_NOTHING = 128
"""Idle frames are alike every turn: they are duplicates, or late, only if they are nearer than this."""
_AT_ONCE_NS = 100 * NS_PER_MS
"""A machine does not start twice in less."""
_SOON_NS = NS_PER_S
"""Nor does it send many frames and start again in less."""
_DUPLICATE_NS = 10 * NS_PER_S
"""What comes again so much later comes from a source that started again, if its counters begin again."""
_NEVER_LOST = 1 << 20
"""More frames than any outage loses: 29 hours at 10 a second."""
_SILENT_PERIODS = 3
"""A channel that was not heard for so many of its periods has stopped sending."""
PLAIN_STEP = 128
"""A sequence count that goes up by less from frame to frame says nothing of a turn of the VCFC."""

_make_step = maker(FrameStep)
_STEP_REST = FrameStep("NEXT", 0)[2:]


class PlainRun(NamedTuple):
    """Frames of one channel whose VCFCs follow each other, in order.

    Attributes:
        vcid: the channel.
        frames: how many.
        first: VCFC of the first.
        last: of the last.
        packets: by APID the last `SURE_RIDES` and one more of the sequence counts of packets that come first in their
            frames, each with the frame's number in the run.
        recent: the last of the frames, up to as many as a channel remembers, to be decoded only if that is needed.
    """

    vcid: int
    frames: int
    first: int
    last: int
    packets: Mapping[int, Sequence[tuple[int, int]]]
    recent: Sequence[Callable[[], TransferFrame]]


class FrameCounter:
    """Feed it every good frame of one spacecraft, of any channel, in the order of reception.

    Attributes:
        restarts: how often the source started again.
    """

    def __init__(
        self,
        modulus: int,
        periods: Mapping[int, int] | None = None,
        starts: Callable[[TransferFrame], bool] | None = None,
    ) -> None:
        """Begin.

        Args:
            modulus: of the VCFC.
            periods: how far apart the frames of a channel are due (ns), by VCID, as far as it is declared.
            starts: whether a frame reports that its source has started; None: nothing is known of such reports.
        """
        self.restarts = 0
        self._modulus = modulus
        self._periods = periods or {}
        self._starts = starts or _never
        self._channels: dict[int, Channel] = {}
        self._master = Master()
        self._since_restart = 0
        self._owed: dict[int, deque[tuple[int, Callable[[], TransferFrame]]]] = {}

    def count(self, frame: TransferFrame, time: int | None = None, ert: int | None = None) -> FrameStep:
        """What the next frame is.

        Args:
            frame: it.
            time: the spacecraft's, in ns, as the frame's first packet tells it; None: nothing tells it.
            ert: when it was received, in ns; None: unknown.
        """
        if self._owed:
            self._settle()
        seen = seen_of(frame, time, ert)
        channel = self._channels.get(frame.vcid)
        if channel is None:
            return self._first_of_all(seen)
        jump = (frame.vcfc - channel.newest - 1) % self._modulus
        if jump or channel.waits or not self._plain(channel, seen):
            return self._taken(channel, seen, self._judged(channel, jump, seen))
        return self._next(channel, seen)

    def pass_plain(self, runs: Sequence[PlainRun]) -> bool:
        """Take frames of AOS channels in one go, all of whose times are unknown, if each is plainly the next one.

        What `count` would have remembered of them is made up for when it is next asked.

        Args:
            runs: one for each channel.

        Returns:
            whether they were taken; if not, nothing has changed.
        """
        times_unknown = self._starts is _never and self._modulus > SEQUENCE_MODULO and self._master.newest is None
        if not times_unknown or not all(map(self._is_plain, runs)):
            return False
        for run in runs:
            channel = self._channels[run.vcid]
            for apid, packets in run.packets.items():
                for count, place in packets:
                    known = channel.sequences.get(apid)
                    if known is None:
                        channel.sequences[apid] = PacketSequence(count, channel.place + 1 + place)
                    else:
                        known.follow(count, channel.place + 1 + place)
            owed = self._owed.setdefault(run.vcid, deque(maxlen=MEMORY))
            first = channel.place + 1 + run.frames - len(run.recent)
            owed.extend((first + n, frame) for n, frame in enumerate(run.recent))
            channel.frames += run.frames
            channel.place += run.frames
            channel.newest, channel.stands = run.last, False
            self._since_restart += run.frames
        return True

    def _is_plain(self, run: PlainRun) -> bool:
        """Whether nothing can speak against its frames.

        A VCFC of 24 bits that goes on by one is believed whatever a sequence count says: without a time there is no
        second sign of a restart, and no silence in which it could have turned over.
        """
        channel = self._channels.get(run.vcid)
        if channel is None or channel.waits or channel.time is not None or channel.ert is not None:
            return False
        return (run.first - channel.newest) % self._modulus == 1

    def _settle(self) -> None:
        """Remember the content of frames that were passed."""
        for vcid, owed in self._owed.items():
            channel = self._channels[vcid]
            for place, frame in owed:
                channel.recent[seen_of(frame(), None, None).content] = Recent(place, None)
                if len(channel.recent) > MEMORY:
                    del channel.recent[next(iter(channel.recent))]
        self._owed.clear()

    def _next(self, channel: Channel, seen: Seen) -> FrameStep:
        """The plain case, in few steps: nearly all frames go this way."""
        master, mcfc, place = self._master, seen.frame.mcfc, channel.place + 1
        if mcfc is None or master.newest is None or (master.newest + 1) % MCFC_MODULUS != mcfc:
            step = self._follow_master(channel, mcfc, FrameStep("NEXT", place))
        else:
            step = _make_step(("NEXT", place, *_STEP_REST))
            master.newest, master.stands = mcfc, False
            master.frames += 1
            master.place += 1
        self._advance(channel, seen, step, agrees=True)
        return step

    def expected(self, vcid: int) -> int | None:
        """The VCFC of a channel's next frame; None if it was not heard."""
        channel = self._channels.get(vcid)
        return None if channel is None else (channel.newest + 1) % self._modulus

    def _first_of_all(self, seen: Seen) -> FrameStep:
        """The first frame of a channel."""
        period = self._periods.get(seen.frame.vcid)
        restarts = bool(self._channels) and self._starts(seen.frame)
        channel = self._channels[seen.frame.vcid] = Channel(Pace(period), Pace(period))
        if restarts:
            return self._taken(channel, seen, FrameStep("RESTART", ROOM, evidence=(STARTED.text,)))
        return self._taken(channel, seen, FrameStep("FIRST", ROOM))

    def _plain(self, channel: Channel, seen: Seen) -> bool:
        """Whether nothing speaks against a frame whose VCFC is the next one."""
        _, time, ert, packet, _ = seen
        if packet is not None:
            known = channel.sequences.get(packet[0])
            if known is not None and not 0 < packet[1] - known.count < PLAIN_STEP:
                return False
        if time is not None and channel.time is not None:
            since = time - (channel.time if channel.odd is None else channel.odd)
            return since >= 0 and self._is_certain(since, channel.pace.period)
        if ert is not None and channel.ert is not None:
            return self._is_certain(ert - channel.ert, channel.arrivals.period)
        return True

    def _is_certain(self, since: int, period: int | None) -> bool:
        """Whether a VCFC cannot have gone on by half a turn in so many ns."""
        return period is None or 2 * since < period * self._modulus

    def _judged(self, channel: Channel, jump: int, seen: Seen) -> FrameStep:
        """The table of the module, but for its plain cases."""
        back, frame = self._modulus - 1 - jump, seen.frame
        known = self._repeats(channel, seen) if jump else None
        if known is not None:
            return FrameStep("DUPLICATE", known.place)
        straggler = self._of_the_past(channel, seen) if jump > EARLY else None
        if straggler is not None:
            return straggler
        if jump and self._is_late(channel, back, seen):
            place = channel.place - back
            return FrameStep("LATE", place, regained=int(place >= channel.base))
        signs = restart_signs(channel, self._master, jump, seen, self._starts)
        if channel.waits and (signs or self._follows_a_restart(channel, jump, seen)):
            return FrameStep("FIRST", channel.place + ROOM)
        if prove_restart(signs):
            words = tuple(sign.text for sign in signs)
            alone = frame.mcfc is not None and self._master.jump(frame.mcfc) < _TELLS_NOTHING
            alone = alone and not self._master.begins_again(frame.mcfc or 0)
            return FrameStep("RESTART", channel.place + ROOM, evidence=words, alone=alone)
        return self._in_its_life(channel, jump, seen)

    def _in_its_life(self, channel: Channel, jump: int, seen: Seen) -> FrameStep:
        """The lower half of the table."""
        if jump and self._never_lost(channel, jump, seen):
            return FrameStep("STILL" if jump == self._modulus - 1 else "BACK", channel.place + 1)
        lost = self._lost(channel, jump, seen)
        if lost.none:
            return FrameStep("NEXT", channel.place + 1)
        return FrameStep("GAP", channel.place + lost.count + 1, lost, gaps=1)

    def _repeats(self, channel: Channel, seen: Seen) -> Recent | None:
        """The frame that this one repeats, if it is not the first word of a source that starts again (rule 6)."""
        known = channel.recent.get(seen.content)
        if known is None or (channel.waits and (known.place != channel.place or not seen.frame.vcfc)):
            return None
        back = channel.place - known.place
        if back >= _TELLS_NOTHING and not channel.tells(seen):
            return None
        age = None if seen.ert is None or known.ert is None else seen.ert - known.ert
        if self._starts(seen.frame):
            repeated = not back and (age is None or age < _AT_ONCE_NS)
        elif not seen.frame.vcfc and not seen.frame.mcfc and back > EARLY:
            repeated = age is not None and age < _SOON_NS
        else:
            repeated = age is None or age < _DUPLICATE_NS
        return known if repeated else None

    @staticmethod
    def _is_late(channel: Channel, back: int, seen: Seen) -> bool:
        """Whether its place is open: in a hole, or just before the first frame that was heard."""
        place = channel.place - back
        known = channel.sequence(seen)
        if back >= MEMORY or (known is not None and not known[0].came_before(known[1], place)):
            return False
        if back >= _TELLS_NOTHING and not channel.tells(seen):
            return False
        if place >= channel.base:
            return channel.holes.find(place, seen.time) is not None
        if back > EARLY:
            return False
        if seen.time is None or channel.base_time is None:
            return known is not None and seen.frame.vcfc != 0
        return seen.time < channel.base_time

    def _of_the_past(self, channel: Channel, seen: Seen) -> FrameStep | None:
        """What a frame is that was overtaken by a restart."""
        past = channel.past
        if past is None or channel.waits or self._since_restart > EARLY:
            return None
        known = past.recent.get(seen.content)
        if known is not None and known.place > past.place - EARLY and _at_once(known.ert, seen):
            return FrameStep("DUPLICATE", known.place)
        ahead = (seen.frame.vcfc - past.newest) % self._modulus
        if not 0 < ahead <= EARLY or past.time is None or seen.time is None:
            return None
        fits = 0 < seen.time - past.time <= 2 * EARLY * (channel.pace.period or 0)
        return FrameStep("LATE", past.place + ahead) if fits else None

    def _follows_a_restart(self, channel: Channel, jump: int, seen: Seen) -> bool:
        """Whether a channel that was not heard since a restart elsewhere counts from its beginning."""
        known = channel.sequence(seen)
        if not jump or (known is not None and known[0].goes_on(known[1])):
            return False
        return seen.time is None or channel.time is None or seen.time <= channel.time

    def _never_lost(self, channel: Channel, jump: int, seen: Seen) -> bool:
        """Whether a VCFC that seems to have gone far on has stood still or gone back."""
        by_sequence = self._by_sequence(channel, jump, seen)
        if by_sequence is not None and not (by_sequence - jump) % min(self._modulus, SEQUENCE_MODULO):
            return False
        by_time = self._by_time(channel, seen)
        if jump == self._modulus - 1:
            return by_time is None or by_time < self._modulus // 2
        if by_time is not None and seen.time != channel.time and jump > 4 * by_time + 2 * SMALL_JUMP:
            return True
        return jump >= _NEVER_LOST

    def _lost(self, channel: Channel, jump: int, seen: Seen) -> Lost:
        """How many frames are missing: rule 1."""
        by_time = self._by_time(channel, seen)
        by_ert = frames_between(channel.arrivals, channel.ert, seen.ert)
        expected = by_ert if by_time is None else by_time
        least, modulus = jump, self._modulus
        by_sequence = self._by_sequence(channel, jump, seen)
        if by_sequence is not None and modulus < SEQUENCE_MODULO and by_sequence % modulus == jump:
            possible = expected is None or by_sequence <= 4 * expected + modulus
            least, modulus = (by_sequence, SEQUENCE_MODULO) if possible else (least, modulus)
        if by_time is not None:
            return with_turns(least, modulus, by_time, tolerance_of(by_time), "EXACT")
        if by_ert is not None:
            return with_turns(least, modulus, by_ert, 0, "ABOUT")
        return Lost(least) if modulus >= SEQUENCE_MODULO or not least else at_least(least)

    @staticmethod
    def _by_sequence(channel: Channel, jump: int, seen: Seen) -> int | None:
        known = channel.sequence(seen)
        return None if known is None else known[0].lost(known[1], channel.place, jump)

    def _by_time(self, channel: Channel, seen: Seen) -> int | None:
        """How many frames are missing by the spacecraft's time; None if it is not known or not to be believed."""
        frames = frames_between(channel.pace, channel.time, seen.time)
        if frames is None or channel.time is None or seen.time is None or seen.time < channel.time:
            return None
        heard = frames_between(channel.arrivals, channel.ert, seen.ert)
        if heard is None:
            believable = seen.time - channel.time <= NS_PER_DAY
        else:
            believable = frames <= 20 * heard + 4 * self._modulus
        return frames if believable else None

    def _taken(self, channel: Channel, seen: Seen, step: FrameStep) -> FrameStep:
        """Remember the frame."""
        if step.kind == "DUPLICATE":
            return step
        if step.kind in ("FIRST", "RESTART"):
            channel.begin(seen)
        if step.kind == "RESTART":
            self._restart(channel)
        lost = step.lost.count
        step = self._follow_master(channel, seen.frame.mcfc, step)
        if step.kind in ("BACK", "STILL"):
            channel.recent.clear()
            channel.holes.clear()
        hole = channel.holes.find(step.place, seen.time) if step.kind == "LATE" else None
        if hole is not None:
            step = step._replace(gaps=channel.holes.fill(hole, step.place, seen.time))
        if step.kind == "GAP":
            channel.holes.open(Hole(channel.place + 1, step.place, channel.time, seen.time))
        if step.kind == "LATE":
            channel.remember(seen, step.place)
        else:
            by_time = self._by_time(channel, seen)
            agrees = by_time is not None and abs(by_time - lost) <= tolerance_of(by_time)
            self._advance(channel, seen, step, agrees)
        return step

    def _advance(self, channel: Channel, seen: Seen, step: FrameStep, agrees: bool) -> None:
        """The frame is the newest of its channel; ``agrees``: its time with its count."""
        self._since_restart += 1
        place, master = step.place, self._master
        frame, time, ert, packet, _ = seen
        channel.remember(seen, place)
        channel.stands = step.kind == "STILL"
        channel.newest, channel.place = frame.vcfc, place
        if channel.waits:
            channel.waits -= 1
        channel.master_place, channel.master_frames = master.place, master.frames
        if packet is not None:
            known = channel.sequences.get(packet[0])
            if known is None:
                channel.sequences[packet[0]] = PacketSequence(packet[1], place)
            else:
                known.follow(packet[1], place)
        if time is not None and (agrees or self._is_believed(channel, time)):
            channel.time, channel.odd = time, None
            channel.pace.follow(place, time)
        if ert is not None:
            channel.ert = ert
            channel.arrivals.follow(place, ert)

    def _is_believed(self, channel: Channel, time: int) -> bool:
        """Whether a time agrees with the time before, or with an odd one before it (rule 4); else it is the odd one."""
        period = channel.pace.period
        if channel.time is None or (time >= channel.time and self._is_certain(time - channel.time, period)):
            return True
        if channel.odd is not None and time >= channel.odd and self._is_certain(time - channel.odd, period):
            channel.pace.forget()
            return True
        channel.odd = time
        return False

    def _restart(self, channel: Channel) -> None:
        self.restarts += 1
        self._since_restart = 0
        self._master.newest = None
        for other in self._channels.values():
            if other is not channel:
                other.waits = EARLY

    def _follow_master(self, channel: Channel, mcfc: int | None, step: FrameStep) -> FrameStep:
        """The same step, with what is missing on all channels."""
        master = self._master
        if mcfc is None:
            return step._replace(lost_all=None)
        master.frames += 1
        if master.newest is None:
            master.begin(mcfc)
            return step
        jump = master.jump(mcfc)
        place = master.place - (MCFC_MODULUS - 1 - jump)
        hole = master.holes.find(place) if jump > MCFC_MODULUS - _TELLS_NOTHING else None
        if hole is not None:
            master.holes.fill(hole, place)
            return step._replace(regained_all=1)
        return step if step.kind == "LATE" else self._on_master(channel, mcfc, jump, step)

    def _on_master(self, channel: Channel, mcfc: int, jump: int, step: FrameStep) -> FrameStep:
        """The frame is the newest of all channels."""
        master = self._master
        lost = self._lost_of_all(channel, jump, step)
        hole = Hole(master.place + 1, master.place + 1 + (0 if lost is None else lost.count))
        master.holes.open(hole)
        master.newest, master.place, master.stands = mcfc, hole.end, jump == MCFC_MODULUS - 1
        step = step._replace(lost_all=lost)
        if step.kind == "FIRST" and channel.past is not None:
            master.began = hole if hole.start < hole.end else None
        elif step.kind == "GAP" and master.began is not None and channel.master_place < master.began.start:
            return step._replace(lost=NOTHING, at_restart=step.lost, gaps=0)
        return step

    def _lost_of_all(self, channel: Channel, jump: int, step: FrameStep) -> Lost | None:
        """Frames missing on all channels, if the MCFC jumped so far and ``step.lost`` are missing on this one.

        What was missing on all when another channel was heard is not missing again.
        """
        lost, master = step.lost, self._master
        came = master.frames - 1 - channel.master_frames
        known = max(0, master.place - channel.master_place - came) if lost.count else 0
        more = lost.count - known
        if lost.certainty != "EXACT":
            return Lost(max(more, jump), lost.certainty)
        others = round((more + 0.5) * self._others_for_each(channel)) if more > 0 else 0
        if more + others < _TELLS_NOTHING:
            return Lost(jump) if jump < MCFC_MODULUS - _TELLS_NOTHING else None
        if others >= max(_TELLS_NOTHING, more):  # most of them are a guess: who sends may have changed
            return at_least(max(more, jump))
        certainty: Certainty = "EXACT" if others < _TELLS_NOTHING else "ABOUT"
        tolerance, floor = max(SMALL_JUMP, others // 10), more if more >= _TELLS_NOTHING else 0
        return with_turns(jump, MCFC_MODULUS, more + others, tolerance, certainty, floor)

    def _others_for_each(self, channel: Channel) -> float:
        """How many frames of the other channels come for each of this one: at their paces of late.

        Which channels are on the air changes in a pass, so all that was ever counted tells it only where no pace does.
        """
        others, period = 0.0, channel.pace.period
        for other in self._channels.values():
            if other is channel:
                continue
            if not period or not other.pace.period or channel.time is None or other.time is None:
                return (self._master.frames - channel.frames) / max(1, channel.frames)
            if channel.time - other.time < _SILENT_PERIODS * other.pace.period:
                others += period / other.pace.period
        return others


def _never(frame: TransferFrame) -> bool:
    return False


def _at_once(ert: int | None, seen: Seen) -> bool:
    """Whether a frame that came at ``ert`` may come again now, overtaken by the first of a source that restarts."""
    return seen.frame.vcfc > 0 if ert is None or seen.ert is None else seen.ert - ert < _AT_ONCE_NS
