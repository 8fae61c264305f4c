"""``groundstation decode --guess``: what kind of file a capture is; and why a profile cannot be the right one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from groundstation.captures.files import Capture
from groundstation.captures.guessing.guess import FURTHER, FURTHER_SIZE, HEAD, Guess, Sample, guess
from groundstation.captures.guessing.precheck import SMALLEST, may_fit
from groundstation.captures.hints import wrapping_hint
from groundstation.errors import NothingDecoded
from groundstation.formats.json_output import echo_json
from groundstation.formats.output import echo
from protocols.capture_profile import CaptureProfile
from protocols.profile import LinkProfile
from protocols.profile_text import profile_to_toml


def print_guess(file: Path, *, as_json: bool) -> None:
    """Print what kind of file it is.

    Raises:
        NothingDecoded: none that is known.
    """
    with closing(Capture(file)) as capture:
        samples = _samples(capture)
        found = guess(samples)
        name, form = capture.name, capture.form
    if as_json:
        echo_json(_as_object(found, form))
    if found.profile is None:
        said = wrapping_hint(samples[0].data) or "it may be encrypted, compressed or of another kind"
        raise NothingDecoded(f"{name}: unknown: none of {found.tried:,} alternatives fits; {said}")
    if not as_json:
        echo(*_lines(found, name, form))


def require_fit(capture: Capture, profile: CaptureProfile) -> None:
    """Look at samples of a large capture, where a wrong profile would cost minutes.

    Raises:
        NothingDecoded: they give no frame with this profile, but do with another one, which is named.
    """
    if not isinstance(profile, LinkProfile) or profile.alignment == "bit" or (capture.size or 0) < SMALLEST:
        return
    samples = _samples(capture)
    if any(may_fit(each.data, profile) for each in samples):
        return
    found = guess(samples)
    if found.profile is None or found.profile == profile or found.confidence != "high":
        return
    switches = ", ".join(line for line in profile_to_toml(found.profile).splitlines() if line)
    place = f"the first {len(samples[0].data) / (1 << 20):.1f} MiB and {len(samples) - 1} samples further on"
    raise NothingDecoded(
        f"{capture.name}: no frame found: in {place} no block of {profile.block_length} bytes fits the profile; "
        f"{found.evidence[0]}: {found.kind} with a profile that says {switches} (--guess prints it)"
    )


def _samples(capture: Capture) -> list[Sample]:
    head = Sample(0, capture.head(HEAD)[:HEAD])
    further = [Sample(at, data) for at, data in capture.samples(FURTHER, FURTHER_SIZE) if at >= len(head.data)]
    return [head, *further]


def _lines(found: Guess, name: str, form: str) -> list[str]:
    """The profile, with the evidence as comments."""
    assert found.profile is not None
    option = f" --bits {found.bits}" if found.bits else ""
    packed = f", in {form}" if form else ""
    lines = [f"# {name}: {found.kind}{packed} (confidence {found.confidence}, {found.tried:,} alternatives tried)"]
    lines += [f"# {each}" for each in found.evidence]
    lines.append(f"# groundstation decode FILE --link-profile THIS{option}")
    return [*lines, *profile_to_toml(found.profile).splitlines()]


def _as_object(found: Guess, form: str) -> dict[str, object]:
    profile = None if found.profile is None else profile_to_toml(found.profile)
    return {
        "kind": found.kind,
        "form": form,
        "confidence": found.confidence,
        "tried": found.tried,
        "evidence": list(found.evidence),
        "bits": found.bits,
        "profile": profile,
    }
