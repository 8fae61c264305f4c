"""Flights of test authors: verbs that are told, fly, and what has to hold."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


def test_what_holds_passes_and_leaves_nothing(project: pytest.Pytester, kept: Path) -> None:
    project.makepyfile(
        """
        def test_los(hil_flight, hil_target, hil_seed):
            assert (hil_target, hil_seed) == ("software", 6)
            hil_flight.drop_link(at="09:11:05")
            hil_flight.corrupt(ber=1e-4, at="09:08:00", for_="10 s")
            hil_flight.send("PING", at="09:08:30")
            hil_flight.send("TRANSMITTER", at="09:08:50", on=True)
            result = hil_flight.fly()
            hil_flight.assert_los_at("09:11:05", cause="SILENCE")
            hil_flight.assert_silence_after("09:11:05")
            hil_flight.assert_no_loss_before("09:11:05")
            hil_flight.assert_no_frame_missing(before="09:08:00")
            hil_flight.assert_passed()
            assert hil_flight.measurement("frames_lost").value == 0
            assert hil_flight.measurement("command[1] PING").value == "COMPLETED"
            assert result is hil_flight.result
            assert (hil_flight.bundle / "capture.jsonl").is_file()

        def test_nothing_goes_wrong(hil_flight):
            hil_flight.fly()
            hil_flight.assert_stream_golden()
            hil_flight.assert_los_at("09:11:05", cause="LANDER_ONLY")
            hil_flight.assert_passed()
        """
    )
    project.runpytest().assert_outcomes(passed=2)
    assert not any(kept.iterdir())


def test_each_assertion_fails_and_says_what_was_found(project: pytest.Pytester, kept: Path) -> None:
    project.makepyfile(
        """
        import pytest

        def told(claim, *args, **keys):
            with pytest.raises(AssertionError) as caught:
                claim(*args, **keys)
            return str(caught.value)

        def test_claims(hil_flight):
            hil_flight.drop_link(at="09:10:00", for_="20 s")
            hil_flight.lose_frames(at="09:08:00", for_={"frames": 1})
            hil_flight.limit("frames_missing", max=3)
            hil_flight.fly()
            claims = [
                told(hil_flight.assert_los_at, "09:10:01"),
                told(hil_flight.assert_los_at, "09:10:00", cause="CRC"),
                told(hil_flight.assert_no_loss_before, "09:11:05"),
                told(hil_flight.assert_silence_after, "09:10:00"),
                told(hil_flight.assert_no_frame_missing, before="09:09:00"),
                told(hil_flight.assert_stream_golden),
                told(hil_flight.assert_passed),
            ]
            assert claims == [
                "no loss of signal at 09:10:01; lost: SILENCE at 09:10:00.000, LANDER_ONLY at 09:11:05.000",
                claims[1],
                "a loss of signal before 09:11:05; lost: SILENCE at 09:10:00.000",
                "no silence after 09:10:00: a frame of VC0, stamped 09:10:20.000, came",
                "1 lander frames before 09:09:00 did not come, the first stamped 09:08:00.000",
                "golden_to_los does not hold: the station has other bytes than the oracle",
                claims[6],
            ]
            assert claims[1].startswith("the loss at 09:10:00 is SILENCE, not CRC: ")
            assert claims[6].startswith("FAIL") and "frames_missing: 201 frame, limit ≤ 3" in claims[6]
            with pytest.raises(Exception, match="no measurement 'frames_los'; did you mean 'frames_lost'"):
                hil_flight.measurement("frames_los")
            assert 0
        """
    )
    done = project.runpytest()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        ["*assert 0*", "*Captured hil call*", "FAIL*frames_missing 201 frame", "again: hil replay*"]
    )
    assert [path.name for path in kept.glob("*/runs/*")] == ["test_claims-software"]


@pytest.mark.long
def test_losses_that_follow_from_noise_are_excused_unless_others_are_listed(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_noise(hil_flight):
            hil_flight.corrupt(ber=1e-3, at="09:08:00", for_="30 s")
            hil_flight.fly()
            assert len(hil_flight.losses()) > 2
            hil_flight.assert_passed()

        def test_noise_and_an_outage(hil_flights):
            for most, passes in ((0, False), (20, True)):
                flight = hil_flights()
                flight.corrupt(ber=1e-3, at="09:08:00", for_="30 s")
                flight.drop_link(at="09:10:00")
                flight.limit("false_los", max=most)
                assert flight.fly().passed is passes, flight.result.line
        """
    )
    project.runpytest().assert_outcomes(passed=2)


@pytest.mark.long
def test_bytes_without_a_frame_are_no_silence(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        def test_noise(hil_flight):
            hil_flight.corrupt(bits=9, at="09:10:30")
            hil_flight.expect_los(at="09:10:30", cause=["CRC", "SYNC"])
            hil_flight.fly()
            hil_flight.assert_passed()
            with pytest.raises(AssertionError, match="no silence after 09:10:30: [0-9]+ bytes came, though no good"):
                hil_flight.assert_silence_after("09:10:30")
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_what_is_wrong_is_said_at_its_verb(project: pytest.Pytester, kept: Path) -> None:
    project.makepyfile(
        """
        import pytest
        from hil.errors import ScenarioError

        @pytest.mark.parametrize(("verb", "keys", "text"), [
            ("corrupt", {"berr": 1e-4}, r"test-words: fault\\[0\\].berr: unknown key; did you mean 'ber'"),
            ("corrupt", {}, r"fault\\[0\\]: bit_flip has one of: ber, bits, offset"),
            ("drop_link", {"at": "08:00:00"}, r"fault\\[0\\].at: a mission time is between 09:05:53 and 09:26:53"),
            ("drop_link", {"at": "25:00"}, "invalid time '25:00': expected a time such as 09:11:05"),
            ("drop_link", {"at": "09:10:00", "for_": "long"}, "invalid time span 'long'"),
            ("fault", {"kind": "silense"}, "unknown fault 'silense'; did you mean 'silence'"),
            ("send", {"name": "PNG", "at": "09:10:00"}, r"command\\[0\\].*PING"),
            ("send", {"name": "STEP", "at": "09:10:00", "ticks": "x"}, r"command\\[0\\]"),
            ("limit", {"name": "frame_lost", "max": 1}, "did you mean 'frames_lost'"),
            ("expect_los", {"at": "09:10:00", "cause": "NOISE"}, r"loss\\[0\\].cause"),
            ("configure", {"speeed": 2}, "scenario.speeed: unknown key; did you mean 'speed'"),
            ("use", {"scenario": "los-91105"}, "did you mean 'los-091105'"),
        ])
        def test_words(hil_flight, verb, keys, text):
            with pytest.raises(ScenarioError, match=text):
                getattr(hil_flight, verb)(**keys)

        def test_place(hil_flight):
            hil_flight.corrupt(berr=1e-4)

        def test_too_late(hil_flight):
            with pytest.raises(Exception, match="call fly.. first"):
                hil_flight.assert_passed()

        def test_never(hil_flight):
            hil_flight.drop_link(at="09:10:00")
        """
    )
    done = project.runpytest("--tb=short")
    done.assert_outcomes(passed=14, failed=1, errors=1)
    done.stdout.fnmatch_lines(["*hil_flight was told what to do, and never flew: call fly()"])
    done.stdout.fnmatch_lines(
        [
            "test_what_is_wrong_is_said_at_its_verb.py:*: in test_place",
            "    hil_flight.corrupt(berr=1e-4)",
            "E   hil.errors.ScenarioError: test-place: fault?0?.berr: unknown key; did you mean 'ber'?",
        ],
        consecutive=True,
    )
    assert not any(kept.iterdir())


@pytest.mark.long
def test_a_seed_of_the_test_wins_and_is_told(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_own(hil_flight):
            hil_flight.configure(seed=3)
            assert hil_flight.fly().seed == 3
            assert False

        def test_given(hil_flight, hil_seed):
            hil_flight.use("noisy-descent")
            assert hil_flight.fly().seed == hil_seed == 7
        """
    )
    result = project.runpytest("--hil-seed", "7")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["seed 3 is the test's own: --hil-seed 7 was not used"])


def test_what_cannot_happen_fails_and_is_no_skip(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest
        from hil.errors import ScenarioError

        def test_a_frame_that_there_is_not(hil_flight):
            hil_flight.drop_link(at={"frame": 999999})
            hil_flight.fly()

        def test_a_command_that_is_never_given(hil_flight):
            hil_flight.send("PING", at="09:12:00")
            hil_flight.fly()

        def test_a_limit_of_nothing(hil_flight):
            with pytest.raises(ScenarioError, match="nothing can fail it"):
                hil_flight.limit("frames_lost")

        def test_a_target_that_there_is_not(hil_flight):
            with pytest.raises(ScenarioError, match="unknown target 'softwear'; did you mean 'software'"):
                hil_flight.limit("frames_lost", max=1, on=["softwear"])
        """
    )
    result = project.runpytest()
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*there is no frame 999,999*", "*it would never be given*"])


def test_what_the_target_cannot_do_is_a_skip(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_flip(hil_flight):
            hil_flight.fault("memory_flip", at="09:10:00", address=0x20000000)
            hil_flight.fly()
        """
    )
    done = project.runpytest("-rs")
    done.assert_outcomes(skipped=1)
    done.stdout.fnmatch_lines(["SKIPPED*memory_flip: the target software cannot do that in lockstep"])


@pytest.mark.long
def test_tests_choose_targets_and_fly_twice(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("hil_target", ["software"], indirect=True)
        def test_own(hil_target):
            assert hil_target == "software"

        def test_same_bytes(hil_flights):
            hashes = set()
            for flight in (hil_flights(), hil_flights()):
                flight.use("noisy-descent")
                flight.fly()
                hashes.add(flight.result.provenance["received sha256"])
                with pytest.raises(Exception, match="this flight is over"):
                    flight.fly()
            assert len(hashes) == 1
        """
    )
    done = project.runpytest("--collect-only", "-q", "--hil-target", "qemu,software")
    assert {line.partition("::")[2] for line in done.outlines if "::" in line} == {
        "test_own[software]",
        "test_same_bytes[qemu]",
        "test_same_bytes[software]",
    }
    project.runpytest().assert_outcomes(passed=2)


@pytest.mark.long
def test_a_target_that_dies_fails_with_its_last_words(project: pytest.Pytester, kept: Path) -> None:
    project.makepyfile(
        """
        import pytest
        from hil.rigs import stepped_target as stepped
        from hil.targets import MachineFailed

        class Mortal(stepped.SteppedSoftware):
            console = "HardFault at 0x08000123"

            def advance(self, ticks, uplink):
                if self.steps >= 1500:
                    raise MachineFailed("software ended: " + self.console)
                return super().advance(ticks, [])

        def test_dies(hil_flight, monkeypatch):
            monkeypatch.setitem(stepped.STEPPED, "software", Mortal)
            hil_flight.fly()

        def test_interrupted(hil_flight, monkeypatch):
            class Stopped(Mortal):
                def advance(self, ticks, uplink):
                    raise KeyboardInterrupt
            monkeypatch.setitem(stepped.STEPPED, "software", Stopped)
            hil_flight.fly()
        """
    )
    done = project.runpytest("--hil-report", "out", "-k", "test_dies")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*the flight broke: software ended: HardFault at 0x08000123"])
    assert (project.path / "out" / "runs" / "test_dies-software" / "console.txt").read_text()
    assert "HardFault" in (project.path / "out" / "report.html").read_text(encoding="utf-8")
    done = project.runpytest_subprocess("--hil-report", "again", "-k", "test_interrupted")
    assert done.ret == pytest.ExitCode.INTERRUPTED
    assert "interrupted" in (project.path / "again" / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def port() -> Iterator[str]:
    """A lander on a serial port, as a board is one."""
    command = [sys.executable, "-m", "hil.cli", "lander", "--pty", "--ready"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as lander:
        try:
            assert lander.stdout is not None
            found = re.search(r"serial:(\S+)", lander.stdout.readline())
            assert found is not None
            yield found[1]
        finally:
            lander.kill()


@pytest.mark.long
def test_the_same_test_flies_on_what_is_on_a_port(project: pytest.Pytester, port: str) -> None:
    project.makepyfile(
        """
        def test_silence(hil_flight, hil_target):
            assert hil_target == "board"
            hil_flight.drop_link(at="09:10:00")
            hil_flight.fly()
            hil_flight.assert_los_at("09:10:00", cause="SILENCE")
            hil_flight.assert_silence_after("09:10:00")
            hil_flight.assert_stream_golden()
            hil_flight.assert_passed()
        """
    )
    project.runpytest("--hil-target", "board", f"--hil-port={port}").assert_outcomes(passed=1)


@pytest.mark.long
def test_expectations_and_conditions_as_verbs_and_markers(project: pytest.Pytester, kept: Path) -> None:
    project.makepyfile(
        """
        import pytest

        BELOW = {"parameter": "DESCENT.altitude", "below": "5000 m"}

        @pytest.mark.hil_expect("DESCENT.deceleration", max="12 g")
        def test_holds(hil_flight):
            hil_flight.expect("DESCENT.altitude", between=["09:08:00", {"event": "MAIN"}], monotonic="decreasing")
            hil_flight.lose_frames(at="09:08:00", for_={"frames": 1})
            hil_flight.fault("stall", when=BELOW, for_="200 ms")
            hil_flight.send("PING", when=BELOW)
            hil_flight.fly()
            hil_flight.assert_passed()
            assert hil_flight.measurement("expect[0] DESCENT.deceleration").value == 9.76
            assert hil_flight.measurement("expect[1] DESCENT.altitude").value == 0

        @pytest.mark.hil_expect("DESCENT.deceleration", max=3)
        def test_does_not_hold(hil_flight):
            hil_flight.fly()
            hil_flight.assert_passed()

        @pytest.mark.hil_expect("DESCENT.decelaration", max=3)
        def test_typing_error(hil_flight):
            hil_flight.fly()

        @pytest.mark.hil_expect(max=3)
        def test_no_parameter(hil_flight):
            hil_flight.fly()
        """
    )
    result = project.runpytest()
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(
        [
            "*expect?0? DESCENT.deceleration: 9.76 g, limit ≤ 3 (at 09:07:28.900, VC0 frame 79; 2,240 values)*",
            "*DESCENT has no parameter 'decelaration'; did you mean 'deceleration'?*",
            '*hil_expect: one parameter, as hil_expect("PACKET.name", max=12)*',
        ]
    )
