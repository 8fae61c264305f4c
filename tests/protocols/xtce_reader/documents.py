"""Small XTCE documents: a primary header, and what a test puts after it."""

from __future__ import annotations

HEADER = (("VERSION", 3), ("TYPE", 1), ("SHF", 1), ("APID", 11), ("FLAGS", 2), ("COUNT", 14), ("LENGTH", 16))


def integer(name: str, bits: int, inside: str = "", encoding: str = "unsigned", more: str = "") -> str:
    """A type and a parameter of one name."""
    return (
        f'<IntegerParameterType name="{name}"><IntegerDataEncoding sizeInBits="{bits}" encoding="{encoding}" {more}>'
        f"{inside}</IntegerDataEncoding></IntegerParameterType>"
    )


def document(types: str, parameters: dict[str, str], containers: str, more: str = "") -> bytes:
    """A document; ``parameters`` are names and types. The container HEAD is the primary header."""
    head = "".join(integer(name, bits) for name, bits in HEADER)
    named = {name: name for name, _ in HEADER} | parameters
    listed = "".join(f'<Parameter name="{name}" parameterTypeRef="{kind}"/>' for name, kind in named.items())
    entries = "".join(entry(name) for name, _ in HEADER)
    return (
        f'<SpaceSystem name="TEST"><TelemetryMetaData><ParameterTypeSet>{head}{types}</ParameterTypeSet>'
        f"<ParameterSet>{listed}</ParameterSet><ContainerSet>"
        f'<SequenceContainer name="HEAD" abstract="true"><EntryList>{entries}</EntryList></SequenceContainer>'
        f"{containers}</ContainerSet></TelemetryMetaData>{more}</SpaceSystem>"
    ).encode()


def entry(name: str, inside: str = "") -> str:
    """An entry of a parameter."""
    return f'<ParameterRefEntry parameterRef="{name}">{inside}</ParameterRefEntry>'


def container(name: str, entries: str, base: str = "HEAD", criteria: str = "", more: str = "") -> str:
    """A container that extends another one, where ``criteria`` hold."""
    restriction = f"<RestrictionCriteria>{criteria}</RestrictionCriteria>" if criteria else ""
    return (
        f'<SequenceContainer name="{name}" {more}><EntryList>{entries}</EntryList>'
        f'<BaseContainer containerRef="{base}">{restriction}</BaseContainer></SequenceContainer>'
    )


def compare(name: str, value: object, sign: str = "==") -> str:
    """A comparison of a raw number, or of a label."""
    sign = sign.replace("<", "&lt;").replace(">", "&gt;")
    return f'<Comparison parameterRef="{name}" value="{value}" comparisonOperator="{sign}"/>'


def packet(apid: int, body: bytes) -> bytes:
    """A space packet of telemetry."""
    return apid.to_bytes(2, "big") + b"\xc0\x00" + (len(body) - 1).to_bytes(2, "big") + body
