"""The losses of signal that a station's viewers still have to see: the last one of every channel. Sans-I/O.

Rules:
1. A loss is known by its channel and by when it was declared. A verdict that is revised is the same loss; a channel
   that falls silent again before it was acquired has not been lost again.
2. An acknowledgement is the station's: it counts for all viewers, and says who gave it and when.
3. It covers what was declared when it was given: a loss that its author cannot have seen stays open.
4. A loss that ended stays open until it is acknowledged, and is known until its channel is lost again.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from groundstation.messages.wire import Acknowledgement, ContactChange, LossId, LossStatus


class LossBook:
    """Feed it every change of contact and every acknowledgement, in order."""

    def __init__(self) -> None:
        """Nothing was lost."""
        self._losses: dict[int | None, LossStatus] = {}

    @property
    def losses(self) -> list[LossStatus]:
        """The last loss of every channel, in the order in which they were declared."""
        return sorted(self._losses.values(), key=lambda loss: loss.verdict.declared_ert)

    def adopt(self, losses: Iterable[LossStatus]) -> None:
        """Those of a snapshot, in place of all that was known: the station knows."""
        self._losses = {loss.vcid: loss for loss in losses}

    def take(self, news: ContactChange | Acknowledgement) -> None:
        """A channel changed, or losses were acknowledged."""
        if isinstance(news, Acknowledgement):
            self._acknowledged(news)
        elif news.verdict is not None:
            self._lost(news)
        elif news.state == "LOCKED" and (known := self._losses.get(news.vcid)) is not None and known.regained is None:
            self._losses[news.vcid] = msgspec.structs.replace(known, regained=news)

    def acknowledge(self, who: str, now: int, until: int | None = None) -> Acknowledgement | None:
        """What there is to acknowledge, as who acknowledges it; None: nothing. To be taken like any other.

        Args:
            who: acknowledges.
            now: in ns of Earth received time.
            until: only losses that were declared up to then.
        """
        found = [loss for loss in self.losses if loss.acknowledged is None]
        if until is not None:
            found = [loss for loss in found if loss.verdict.declared_ert <= until]
        if not found:
            return None
        return Acknowledgement(ert=now, who=who, losses=[loss_id(loss) for loss in found])

    def _lost(self, change: ContactChange) -> None:
        assert change.verdict is not None
        known = self._losses.get(change.vcid)
        if known is not None and known.verdict.declared_ert == change.verdict.declared_ert:
            self._losses[change.vcid] = msgspec.structs.replace(known, verdict=change.verdict)
        else:
            self._losses[change.vcid] = LossStatus(vcid=change.vcid, channel=change.channel, verdict=change.verdict)

    def _acknowledged(self, news: Acknowledgement) -> None:
        for each in news.losses:
            known = self._losses.get(each.vcid)
            if known is not None and known.verdict.declared_ert == each.declared_ert:
                self._losses[each.vcid] = msgspec.structs.replace(known, acknowledged=news)


def loss_id(loss: LossStatus) -> LossId:
    """What tells a loss from any other of its station."""
    return LossId(vcid=loss.vcid, channel=loss.channel, declared_ert=loss.verdict.declared_ert)
