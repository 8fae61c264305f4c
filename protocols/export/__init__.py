"""A dictionary, written for others: one small renderer a file, each a function from `Dictionary` to text.

The renderers read the dictionary and its layouts, never construct. The same dictionary always gives the same text:
no dates, no paths, no versions. Only ``python -m protocols.export`` touches files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from protocols.declare.dictionary import Dictionary
from protocols.export.c_header import render_c_header
from protocols.export.icd import render_icd
from protocols.export.xtce import render_xtce

EXPORTS: Mapping[str, Callable[[Dictionary], str]] = MappingProxyType(
    {
        "hil/firmware/generated/lander_packets.h": render_c_header,
        "docs/lander.xtce.xml": render_xtce,
        "docs/icd.md": render_icd,
    }
)
"""Where each export lies in the repository, and its renderer."""
