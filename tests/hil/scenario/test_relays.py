"""The table [[relay]]: which relays can be flown, and on which links faults act."""

from __future__ import annotations

import pytest

from hil.errors import ScenarioError
from hil.scenario.scenario import parse_scenario

HEAD = '[scenario]\nid = "relays"\nmodes = ["lockstep"]\n'
MARS5 = '[[relay]]\nname = "MARS_5"\n'


def test_a_relay_that_failed_flies_as_a_counterfactual() -> None:
    scenario = parse_scenario(
        HEAD + MARS5 + 'delay_ms = 90\n[[fault]]\nkind = "frame_drop"\np = 0.1\nrelay = "MARS_5"\n'
    )
    assert [(link.name, link.delay_ms) for link in scenario.relays] == [("MARS_5", 90.0)]
    assert [fault.relay for fault in scenario.faults] == ["MARS_5"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEAD + '[[relay]]\nname = "MARS_55"\n',
            r"relay\[0\].name: MARS-6 has no relay 'MARS_55'; did you mean 'MARS_5'",
        ),
        (
            HEAD + '[[relay]]\nname = "MARS_7"\n',
            "MARS_7 is out of range, link margin -44.8 dB: nothing would be received",
        ),
        (HEAD + '[[relay]]\nname = "MARS_6_BUS"\n', "MARS_6_BUS is the link that every flight has"),
        (HEAD + MARS5 + MARS5, r"relay\[1\].name: MARS_5 is named twice"),
        ('[scenario]\nid = "relays"\n' + MARS5, "scenario.modes: relays fly in lockstep"),
        (
            HEAD + '[[fault]]\nkind = "silence"\nrelay = "MARS_5"\n',
            r"fault\[0\].relay: no \[\[relay\]\] has the name 'MARS_5'",
        ),
        (HEAD + MARS5 + '[[fault]]\nkind = "unplug"\nrelay = "MARS_5"\n', "unplug does not act on a relay's frames"),
        (HEAD + '[[relay]]\nname = "MARS_5"\ndelay_ms = -1\n', r"relay\[0\].delay_ms"),
        (HEAD + '[[loss]]\nat = "09:26:08"\ncause = "SILENCE"\nchannel = "surfcae"\n', "did you mean 'surface'"),
        (HEAD + '[[loss]]\nat = "09:11:05"\ncause = "SILENCE"\nchannel = "lander"\n', "besides lander"),
    ],
)
def test_what_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        parse_scenario(text)
