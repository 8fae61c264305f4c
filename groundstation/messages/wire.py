"""What a station says to its viewers: typed messages, JSON on ZeroMQ.

On the wire a message is one ZeroMQ part: the topic, one space, the JSON body. The body's ``type`` names the
class and its ``seq`` counts the messages of that topic from 1, so that a viewer can tell what *it* missed (a
display gap) from what the link lost (a link gap). Any language with ZeroMQ and JSON can subscribe, and ask: a request
may come without its topic, in any spelling of JSON.

    topic             body            when
    tm.<PACKET>       Telemetry       a packet was decoded
    link              LinkStatus      counters, twice a second, and at once when anything else changes
    contact           ContactChange   a channel's signal state changed; carries the verdict at LOS
    event             EventMessage    something happened, on board or in the station
    acknowledgement   Acknowledgement losses of signal were acknowledged
    command           CommandUpdate   a command changed its state
    uplink            UplinkStatus    COP-1, the queue or the arming changed
    heartbeat         Heartbeat       twice a second, with the last ``seq`` of every topic

A request states the ``protocol`` that its client speaks, and a `Snapshot` that of its station. A client and a station
of different protocols do not work together, and say so. Protocol 1 differs in three names alone (`TAGS_1`): a station
understands such a client, and answers with its names. A request that states no protocol is taken for such a one.

Times are integer nanoseconds since 1970-01-01 UTC, and stand there as ISO 8601 text, too: ``ert`` and ``ert_utc``.
``ert`` (Earth received time) is stamped at the read; ``scet`` (spacecraft event time) is what the spacecraft wrote. The
two are never subtracted from each other.
"""

from __future__ import annotations

import codecs
import contextlib
from typing import Annotated, Any, Literal

import msgspec

from groundstation.formats.json_encoding import encode_json, restored
from groundstation.messages.base import PROTOCOL, Count, Int64, Message, Request, Value
from groundstation.messages.commanding import (
    AcknowledgeRequest,
    ArmRequest,
    CommandInfo,
    CommandRequest,
    CommandUpdate,
    CopDirectiveRequest,
    RequestAccepted,
    UplinkStatus,
)
from protocols.units import NS_PER_S
from protocols.words import BadQuality, Certainty, LimitState, Severity

CURVES_MAX, SAMPLES_MAX = 64, 2000
"""What may be asked for at once."""

SignalState = Literal["NO_SIGNAL", "ACQUIRING", "LOCKED", "DEGRADED", "LOS"]
Transport = Literal["CONNECTED", "ATTEMPTING", "DISCONNECTED"]
Cause = Literal["STATION", "PORT", "SILENCE", "SYNC", "CRC", "RELAY", "LANDER_ONLY", "RELAY_SET"]


RESTART_EVENT = "RESTART"
"""Name of the station's event that says that the spacecraft, or the source of a channel, started again."""


class ValueQuality(msgspec.Struct, frozen=True):
    """What is wrong with a value: ``reason`` is the name of the check that found it (`protocols.declare.checks`).

    ``unusable``: it cannot be true. ``suspect``: it does not fit the others.
    """

    quality: BadQuality
    reason: str


class Telemetry(Message, frozen=True, tag="telemetry"):
    """One decoded packet: calibrated values by parameter name.

    ``ert`` is that of the read which completed the packet. After damaged bytes a frame may be accepted only when later
    ones have come: then it is the later read's, while the recording's index and exports say when its last byte came.

    ``late``: its frame came after a later one, so these values may be older than the last ones.

    ``untimed``: its packet has no onboard time, and ``scet`` is ``ert``.

    ``limits`` holds only the parameters that are not GREEN. ``invalid`` names those that mean nothing, since the flag
    they depend on is off (the altimeter without lock): their value is None, never a number. ``exact`` has integers
    beyond 2⁵³ as text.

    ``bad`` holds only the parameters that are not good; None: no check is declared for this packet. An unusable
    value raises no limit.
    """

    packet: str
    apid: Int64
    vcid: Int64
    scet: Int64
    ert: Int64
    values: dict[str, Value | None]
    limits: dict[str, LimitState] = msgspec.field(default_factory=dict)
    invalid: list[str] = msgspec.field(default_factory=list)
    exact: dict[str, str] = msgspec.field(default_factory=dict)
    late: bool = False
    replay: bool = False
    untimed: bool = False
    bad: dict[str, ValueQuality] | None = None


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """Cumulative since the station started.

    Byte conservation, always exact: ``bytes_in == good + corrected + rejected + skipped + pending``.

    ``frames_lost`` are missing by their counts, as sure as ``frames_lost_certainty`` says: EXACT, ABOUT, AT_LEAST or,
    with 0, UNKNOWN. Frames that came again (``frames_duplicate``), late, or with a count that stood still or stepped
    back (``frames_stepped_back``) are good frames, and no loss; nor is a source that started again (``restarts``), and
    what is missing where it did is counted apart (``frames_at_restart``).

    Of a station with several links the bytes and the rejected frames are those of all links; ``frames_good`` counts a
    frame that came over several of them once, and ``frames_copies`` its other copies.
    """

    bytes_in: Int64 = 0
    good: Int64 = 0
    corrected: Int64 = 0
    rejected: Int64 = 0
    skipped: Int64 = 0
    pending: Int64 = 0
    frames_good: Int64 = 0
    frames_rejected: Int64 = 0
    frames_foreign: Int64 = 0
    frames_idle: Int64 = 0
    frames_lost: Int64 = 0
    frames_lost_certainty: Certainty = "EXACT"
    frames_duplicate: Int64 = 0
    frames_late: Int64 = 0
    frames_stepped_back: Int64 = 0
    restarts: Int64 = 0
    frames_at_restart: Int64 = 0
    packets: Int64 = 0
    packets_bad: Int64 = 0
    packets_unknown: Int64 = 0
    dropped: Int64 = 0
    frames_copies: Int64 = 0


class ChannelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One virtual channel, as received so far: its good frames, and what `Counters` says of them and of the lost.

    Outside of ``expected_from`` … ``expected_until`` (SCET) its silence is no loss; None: no bound.
    """

    vcid: Int64
    name: str
    state: SignalState
    frames: Int64 = 0
    lost: Int64 = 0
    lost_certainty: Certainty = "EXACT"
    duplicates: Int64 = 0
    late: Int64 = 0
    steps_back: Int64 = 0
    rate_hz: float = 0.0
    last_vcfc: Int64 | None = None
    last_scet: Int64 | None = None
    last_ert: Int64 | None = None
    expected_from: Int64 | None = None
    expected_until: Int64 | None = None


class PlaybackStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where a replay stands, in the recording's own Earth received time: ``at``, between ``first`` and ``last``.

    ``jumps`` counts jumps to another place: what was shown before a jump is not the context of what follows.
    All counts are ``counted_from`` there.
    """

    recording: str
    at: Int64
    first: Int64
    last: Int64
    speed: float
    paused: bool
    ended: bool
    jumps: Int64
    counted_from: Int64 = 0


class LinkShare(msgspec.Struct, frozen=True, kw_only=True):
    """One of a station's several links, and what it contributed: how many frames it brought first, and so on.

    Every good frame of the link is in one of ``first``, ``duplicates`` (another link was earlier), ``conflicts``
    (another link brought a frame of this VCFC with other content), ``stale`` (too old to have a place) and ``foreign``.
    ``only``
    counts the frames that no other link has brought so far. What the link lost by its own frame counts is ``lost``; its
    ``channels`` say on which. ``commands``: the telecommands go out over it.
    """

    name: str
    url: str
    transport: Transport
    detail: str
    state: SignalState
    commands: bool
    bytes_in: Int64 = 0
    frames_good: Int64 = 0
    first: Int64 = 0
    duplicates: Int64 = 0
    only: Int64 = 0
    conflicts: Int64 = 0
    stale: Int64 = 0
    foreign: Int64 = 0
    rejected: Int64 = 0
    lost: Int64 = 0
    lost_certainty: Certainty = "EXACT"
    last_ert: Int64 | None = None
    channels: list[ChannelStatus] = msgspec.field(default_factory=list)


class LinkStatus(Message, frozen=True, tag="link"):
    """Transport, counters and channels at ``ert``. ``state`` is the link's signal state over all channels.

    ``playback`` stands in those of a replay, and only there. ``backlog_ms`` is how long what was received has waited to
    be decoded: so much older is everything decoded than it would be in a station that keeps up.

    ``links`` are those of a station that has several, each with its share; then ``channels`` and ``counters`` are those
    of the merged stream.
    """

    ert: Int64
    url: str
    transport: Transport
    detail: str
    state: SignalState
    channels: list[ChannelStatus]
    counters: Counters
    recording: str | None
    recording_ok: bool = True
    backlog_ms: Int64 = 0
    replay: bool = False
    playback: PlaybackStatus | None = None
    links: list[LinkShare] = msgspec.field(default_factory=list)


class LosVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Loss of signal with its evidence.

    The loss happened somewhere in ``interval_scet``: after the last good frame was stamped, before the next one
    was due. ``planned_error_ms`` is 0 when the plan falls into that interval (its end included), else the signed
    distance to it: negative when the signal was lost early. ``declared_ert`` is when the station said so: at the
    earliest ``last_ert`` plus ``timeout_ms``.
    """

    vcid: Int64 | None
    channel: str
    cause: Cause
    evidence: str
    last_vcfc: Int64 | None
    last_scet: Int64 | None
    last_ert: Int64
    interval_scet: tuple[Int64, Int64] | None
    interval_ert: tuple[Int64, Int64]
    declared_ert: Int64
    timeout_ms: Int64
    trailing_bytes: Int64
    frames: Int64
    planned_scet: Int64 | None = None
    planned_error_ms: Int64 | None = None


class ContactChange(Message, frozen=True, tag="contact"):
    """A channel (or, with ``vcid`` None, the whole link) changed its signal state.

    ``revised`` marks a verdict whose cause was corrected by later evidence; the state did not change then.
    ``outage_ms`` and ``outage_lost`` stand on the change back to LOCKED after a LOS; ``outage_lost`` is None if its
    certainty is UNKNOWN. ``restarted``: the source started again instead, which ends no outage.
    """

    vcid: Int64 | None
    channel: str
    state: SignalState
    previous: SignalState
    ert: Int64
    verdict: LosVerdict | None = None
    revised: bool = False
    outage_ms: Int64 | None = None
    outage_lost: Int64 | None = None
    outage_lost_certainty: Certainty = "EXACT"
    restarted: bool = False
    replay: bool = False


class LossId(msgspec.Struct, frozen=True, kw_only=True):
    """Tells a loss of signal from any other of its station: the channel, and its verdict's ``declared_ert``."""

    vcid: Int64 | None
    channel: str
    declared_ert: Int64


class Acknowledgement(Message, frozen=True, tag="acknowledgement"):
    """Losses of signal were acknowledged at ``ert``, for all viewers, by ``who``."""

    ert: Int64
    who: str
    losses: list[LossId]
    replay: bool = False


class LossStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The last loss of a channel (``vcid`` None: of the link).

    ``regained`` is the change with which it ended; None: it lasts. ``acknowledged``: None if it was not.
    """

    vcid: Int64 | None
    channel: str
    verdict: LosVerdict
    regained: ContactChange | None = None
    acknowledged: Acknowledgement | None = None


class EventMessage(Message, frozen=True, tag="event"):
    """Something worth a line in the log. ``source`` is LANDER, BUS or STATION; ``scet`` only for onboard events."""

    severity: Severity
    source: str
    name: str
    text: str
    ert: Int64
    scet: Int64 | None = None
    replay: bool = False


class Heartbeat(Message, frozen=True, tag="heartbeat"):
    """``sequences`` holds the last ``seq`` of every topic: a viewer with a lower one has missed messages.

    ``missed`` is how many messages all viewers together have reported as missed.
    """

    ert: Int64
    sequences: dict[str, Int64]
    missed: Int64 = 0


class LimitInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one parameter, in its unit; None: no limit. A ``step`` is a rise within ``step_s`` seconds."""

    red_low: float | None = None
    yellow_low: float | None = None
    yellow_high: float | None = None
    red_high: float | None = None
    step_yellow: float | None = None
    step_red: float | None = None
    step_s: float | None = None


class ParameterInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How to show one parameter: unit, decimals, and the period after which its value is stale.

    ``checks`` are the names of those that judge the quality of its values.
    """

    packet: str
    name: str
    unit: str
    decimals: Int64
    description: str
    period_ms: Int64
    limits: LimitInfo | None = None
    checks: list[str] = msgspec.field(default_factory=list)


class MilestoneInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A planned moment of the mission: mission UTC and where the figure comes from ([S], [F], [R], [C], [A]).

    ``text`` says more of it; ``day_only``: no more than the day is known.
    """

    name: str
    label: str
    scet: Int64
    mark: str
    text: str = ""
    day_only: bool = False


class PlotInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter with a curve; ``label`` names it where there is room for a few letters."""

    packet: str
    name: str
    label: str


class ViewInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One view: its packets, ``without`` the parameters of these names; plots; and panels, by name.

    ``bars`` is the packet and name of a repeated number, drawn as a bar chart of its items.
    """

    name: str
    packets: list[str] = msgspec.field(default_factory=list)
    without: list[str] = msgspec.field(default_factory=list)
    plots: list[PlotInfo] = msgspec.field(default_factory=list)
    bars: tuple[str, str] | None = None
    panels: list[str] = msgspec.field(default_factory=list)


class ChannelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A declared channel. Its silence is a loss from ``expected_from`` to ``expected_until`` (SCET); None: always."""

    vcid: Int64
    name: str
    source: str
    period_ms: Int64
    expected_from: Int64 | None = None
    expected_until: Int64 | None = None


class LightTimeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A one-way light time: ``seconds`` with the mark of its source, or the ``parameter`` that tells it."""

    name: str
    seconds: float | None = None
    mark: str = ""
    parameter: tuple[str, str] | None = None


class DisplayInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a viewer shows first, as the mission declares it.

    ``packets`` are those of the telemetry panel. ``phase`` is the packet and name of the parameter that says where the
    spacecraft stands, None if there is none. ``zero`` is the milestone that mission elapsed time counts from.
    ``views`` are in the order of their keys, 1 for the first.
    """

    packets: list[str] = msgspec.field(default_factory=list)
    plots: list[PlotInfo] = msgspec.field(default_factory=list)
    phase: tuple[str, str] | None = None
    zero: str = ""
    views: list[ViewInfo] = msgspec.field(default_factory=list)


class UsableShare(msgspec.Struct, frozen=True, kw_only=True):
    """How many values of a parameter were good, suspect and unusable in a phase of the flight; empty: none is known.

    ``phase`` is what the display's phase parameter said, as far as that was good itself. Values that mean nothing are
    not counted, nor are those of packets that no check is declared for.
    """

    phase: str
    packet: str
    parameter: str
    good: Int64
    suspect: Int64
    unusable: Int64


class RelayInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A spacecraft that could relay this one, as the mission declares it; each figure with the mark of its source.

    ``elevation`` is the packet and name of the parameter with its elevation above the spacecraft's horizon; below
    ``mask`` degrees it relays nothing. None: not known.
    """

    name: str
    description: str
    health: str
    health_text: str
    health_mark: str
    range_km: float | None = None
    range_mark: str = ""
    elevation: tuple[str, str] | None = None
    mask: float | None = None
    mask_mark: str = ""
    margin_db: float | None = None
    margin_mark: str = ""


class Snapshot(Message, frozen=True, tag="snapshot"):
    """The answer to a viewer that joins: who the station is and all it knows now.

    ``known_commands`` are the commands of the dictionary, in its order; ``commands`` the states of those requested.
    ``losses`` holds the last loss of every channel, acknowledged or not. ``flight`` counts this station's flights;
    ``clock`` is the mission's time (SCET) in the current one, as ``clock_vcid`` reported it, regardless of channels
    that have been silent since the flight before. ``protocol`` is the version that the station speaks.
    ``mission_events`` are the moments of the whole mission, from the launch on; ``channels``, ``light_times`` and
    ``relays`` are as the mission declares them. ``usable`` counts the values of this flight that were good, by phase
    and parameter.
    """

    station: str
    pid: Int64
    started: Int64
    mission: str
    dictionary_hash: str
    parameters: list[ParameterInfo]
    timeline: list[MilestoneInfo]
    link: LinkStatus
    telemetry: list[Telemetry]
    contacts: list[ContactChange]
    events: list[EventMessage]
    sequences: dict[str, Int64]
    flight: Int64 = 0
    clock: Int64 | None = None
    clock_vcid: Int64 | None = None
    losses: list[LossStatus] = msgspec.field(default_factory=list)
    display: DisplayInfo = msgspec.field(default_factory=DisplayInfo)
    mission_events: list[MilestoneInfo] = msgspec.field(default_factory=list)
    channels: list[ChannelInfo] = msgspec.field(default_factory=list)
    light_times: list[LightTimeInfo] = msgspec.field(default_factory=list)
    relays: list[RelayInfo] = msgspec.field(default_factory=list)
    acknowledgements: list[Acknowledgement] = msgspec.field(default_factory=list)
    commands: list[CommandUpdate] = msgspec.field(default_factory=list)
    uplink: UplinkStatus | None = None
    known_commands: list[CommandInfo] = msgspec.field(default_factory=list)
    usable: list[UsableShare] = msgspec.field(default_factory=list)
    protocol: Count = 1
    replay: bool = False


class HistoryRequest(Request, frozen=True, tag="history_request"):
    """Viewer → station: the curves of some parameters, answered by a `History`.

    ``parameters`` are (packet, name); each curve has at most so many ``samples``.
    """

    parameters: Annotated[list[tuple[str, str]], msgspec.Meta(max_length=CURVES_MAX)]
    samples: Annotated[int, msgspec.Meta(ge=1, le=SAMPLES_MAX)] = 600


class CurveData(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter over SCET, thinned: each value stands at ``first`` plus its offset, in ns.

    ``starts`` are the places in the lists of those that do not join to the one before: there was a gap. Values that are
    not good are no part of the curve: the last of them stand in ``bad_offsets``, from ``first`` on, and ``bad_values``.
    """

    packet: str
    name: str
    first: Int64
    offsets: list[Int64]
    values: list[float]
    starts: list[Int64]
    bad_offsets: list[Int64] = msgspec.field(default_factory=list)
    bad_values: list[float] = msgspec.field(default_factory=list)


class History(Message, frozen=True, tag="history"):
    """What a station kept of the flight that goes on; ``loss_marks`` are the losses of signal in it.

    Each mark is a channel's VCID and the SCET of its last frame.
    """

    curves: list[CurveData]
    loss_marks: list[tuple[Int64, Int64]]


class SnapshotRequest(Request, frozen=True, tag="snapshot_request"):
    """Viewer → station, on the command endpoint."""


class StopRequest(Request, frozen=True, tag="stop_request"):
    """Viewer → station: end the recording and exit. ``reason`` goes into the log."""

    reason: str


class ReplayControl(Request, frozen=True, tag="replay_control"):
    """Viewer → a station that replays: move it; answered by a `Snapshot`.

    Attributes:
        action: ``play``, ``pause``; ``seek`` to a time; ``skip`` so many seconds; ``step`` by frames, which pauses;
            ``next`` and ``previous`` recorded event; ``loss``: the next loss of signal; ``speed``.
        to: where to seek, in UTC: mission time or Earth received time, or a time of day alone.
        seconds: how far to skip on, or back if negative. At either end of the recording it stops.
        frames: how many frames to step on, or back if negative.
        speed: how many times faster than it was.
    """

    action: Literal["play", "pause", "seek", "skip", "step", "next", "previous", "loss", "speed"]
    to: str | None = None
    seconds: float | None = None
    frames: Int64 = 1
    speed: float | None = None


class ReplayAck(Request, frozen=True, tag="replay_ack"):
    """Viewer → a station that replays: it has got so many messages; the replay shall not run far ahead of that.

    ``messages`` is the sum of the last ``seq`` of all topics.
    """

    messages: Count


class DropReport(Request, frozen=True, tag="drop_report"):
    """Viewer → station: so many messages of this run never came. ``viewer`` is a word unlike any other viewer's."""

    viewer: str
    missed: Count


LATE_NS = NS_PER_S
"""Values older than this are not live."""


class Lag(Message, frozen=True, tag="lag"):
    """How far behind its station a viewer that writes JSON is. Its own word among its lines; no station sends it.

    ``behind_ms`` is that of the lines that follow, ``missed`` counts the messages that this viewer missed so far.
    """

    behind_ms: Int64
    missed: Int64


class Refusal(Message, frozen=True, tag="refusal"):
    """The station did not understand or does not allow a request."""

    text: str


AnyMessage = (
    Telemetry
    | LinkStatus
    | ContactChange
    | EventMessage
    | Acknowledgement
    | CommandUpdate
    | UplinkStatus
    | Heartbeat
    | Snapshot
    | SnapshotRequest
    | HistoryRequest
    | History
    | StopRequest
    | ReplayControl
    | ReplayAck
    | DropReport
    | CommandRequest
    | ArmRequest
    | CopDirectiveRequest
    | AcknowledgeRequest
    | RequestAccepted
    | Lag
    | Refusal
)

TAGS_1 = {"order_accepted": "request_accepted", "heard": "replay_ack", "missed_report": "drop_report"}
"""What protocol 1 called some messages."""

_decoder: msgspec.json.Decoder[AnyMessage] = msgspec.json.Decoder(AnyMessage)


def topic_of(message: AnyMessage) -> str:
    """The topic a message is published under."""
    if isinstance(message, Telemetry):
        return f"tm.{message.packet}"
    return str(message.__struct_config__.tag)


def encode(message: AnyMessage, topic: str | None = None) -> bytes:
    """Topic, one space, JSON. ``topic`` is the message's own, if it is known already."""
    return (topic or topic_of(message)).encode() + b" " + encode_json(message, times=True)


def other_protocol(who: str, theirs: int, me: str) -> str:
    """Why two that speak different protocols do not work together."""
    return f"{who} speaks protocol {theirs}, {me} {PROTOCOL}: install the same version of groundstation on both"


def encode_answer(answer: AnyMessage, protocol: int) -> bytes:
    """An answer as a client of that protocol understands it."""
    part = encode(answer)
    if protocol == 1 and isinstance(answer, RequestAccepted):
        return part.replace(b"request_accepted", b"order_accepted", 2)  # the topic and the type: they come first
    return part


def decode(part: bytes) -> AnyMessage:
    """Inverse of `encode`; the JSON may also come alone, as any program writes it.

    Spaces, a byte order mark and the order of keys mean nothing in JSON, and 5.0 is the integer 5: not every language
    tells them apart. Names of protocol 1 are understood.

    Raises:
        msgspec.DecodeError: the part is not one of this station's messages.
    """
    body = _body(part)
    message = _decoded(body)
    if b'"NaN"' in body or b'Infinity"' in body:
        for telemetry in message.telemetry if isinstance(message, Snapshot) else [message]:
            if isinstance(telemetry, Telemetry):
                restored(telemetry.values)
    return message


def _decoded(body: bytes) -> AnyMessage:
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError:
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            message: AnyMessage = msgspec.convert(_with_integers(_renamed(msgspec.json.decode(body))), AnyMessage)
            return message
        raise
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error


def _body(part: bytes) -> bytes:
    """The JSON of a part. A topic begins with a letter, which no JSON object, array, string or number does."""
    text = part.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n")
    return text[max(text.find(b"{"), 0) :] if text[:1].isalpha() else text


def _renamed(fields: Any) -> Any:
    """A message of protocol 1 under today's name."""
    tag = fields.get("type") if isinstance(fields, dict) else None
    return {**fields, "type": TAGS_1[tag]} if isinstance(tag, str) and tag in TAGS_1 else fields


def _with_integers(value: Any) -> Any:
    """A decoded JSON value in which numbers without a fraction are integers."""
    if isinstance(value, dict):
        return {key: _with_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_integers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
