"""What this project's own XTCE says beside the standard, so that it is read back to the dictionary it was made of.

`protocols.export.xtce` writes it: aliases of the name space ``groundstation`` have the names of a declaration, and
ancillary data of that name what XTCE has no words for. In another's file there is none of it.
"""

from __future__ import annotations

from protocols.structures.layout import Field
from protocols.xtce_reader.names import Defined
from protocols.xtce_reader.xml_tree import Element

SPACE = "groundstation"


class Marks:
    """The marks of a document; ``own``: it is one of ours."""

    def __init__(self, root: Element) -> None:
        self.own = any(
            mark.get("name").startswith(f"{SPACE}.") for mark in root.all("AncillaryDataSet", "AncillaryData")
        )

    def name_of(self, parameter: Defined) -> str:
        """What a parameter is called in a packet."""
        return parameter.element.get("name")

    def field_of(self, parameter: Defined, field: Field) -> Field:
        """A field as it was declared."""
        return field
