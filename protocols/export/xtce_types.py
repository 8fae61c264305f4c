"""The data types of an XTCE document: unit, encoding, calibrator, labels and alarms of a field."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from xml.etree.ElementTree import Element, SubElement

from protocols.errors import DeclarationError
from protocols.structures.calibration import Calibration, Linear, Table
from protocols.structures.fields import Limits
from protocols.structures.layout import Field
from protocols.structures.parts import Text

ENCODINGS: Mapping[str, str] = MappingProxyType(
    {
        "ascii": "US-ASCII",
        "iso8859-1": "ISO-8859-1",
        "cp1252": "Windows-1252",
        "utf-8": "UTF-8",
        "utf-16-le": "UTF-16LE",
        "utf-16-be": "UTF-16BE",
        "utf-32-le": "UTF-32LE",
        "utf-32-be": "UTF-32BE",
    }
)
"""What XTCE calls an encoding; a string in another one is told as bytes."""

_MOST_BITS = 8 * 65536


def alarms(kind: Element, limits: Limits) -> None:
    """Yellow is WarningRange, red is CriticalRange, and a value on the limit is still inside.

    A limit on change is one per second, over the span of its time.
    """
    alarm = SubElement(kind, "DefaultAlarm")
    if limits.has_ends:
        ranges = SubElement(alarm, "StaticAlarmRanges")
        _range(ranges, "WarningRange", limits.yellow_low, limits.yellow_high)
        _range(ranges, "CriticalRange", limits.red_low, limits.red_high)
    if limits.step_s is not None:
        seconds = limits.step_s
        ranges = SubElement(alarm, "ChangeAlarmRanges", {"spanOfInterestInSeconds": repr(float(seconds))})
        for name, step in (("WarningRange", limits.step_yellow), ("CriticalRange", limits.step_red)):
            _range(ranges, name, None, None if step is None else step / seconds)


def _range(ranges: Element, name: str, low: float | None, high: float | None) -> None:
    ends = {"minInclusive": low, "maxInclusive": high}
    given = {key: repr(float(end)) for key, end in ends.items() if end is not None}
    if given:
        SubElement(ranges, name, given)


def data_type(parent: Element, name: str, field: Field, use: str) -> Element:
    """A ParameterType or ArgumentType: unit, encoding, calibrator, labels."""
    tag, attributes = _tag(field)
    kind = SubElement(parent, f"{tag}{use}Type", {"name": name} | attributes)
    if field.quantity is not None and field.quantity.unit:
        SubElement(SubElement(kind, "UnitSet"), "Unit").text = field.quantity.unit
    _encoding(kind, field)
    if field.is_enum:
        listed = SubElement(kind, "EnumerationList")
        for low, high, label in field.spans:
            end = {"maxValue": str(high)} if high != low else {}
            SubElement(listed, "Enumeration", {"value": str(low)} | end | {"label": label})
    return kind


def sized_type(parent: Element, name: str, field: Field, parameter: str, slope: int, intercept: int) -> None:
    """A ParameterType of bytes or text whose bits are ``slope`` times another parameter, and ``intercept``."""
    if field.text is not None and field.text.encoding in ENCODINGS:
        kind = SubElement(parent, "StringParameterType", {"name": name})
        encoding = SubElement(kind, "StringDataEncoding", {"encoding": ENCODINGS[field.text.encoding]})
        size = SubElement(encoding, "Variable", {"maxSizeInBits": str(_MOST_BITS)})
        dynamic_value(size, parameter, slope, intercept)
        _text_end(size, field.text)
        return
    kind = SubElement(parent, "BinaryParameterType", {"name": name})
    size = SubElement(SubElement(kind, "BinaryDataEncoding"), "SizeInBits")
    dynamic_value(size, parameter, slope, intercept)


def dynamic_value(parent: Element, parameter: str, slope: int, intercept: int) -> None:
    """A number that is calculated from a parameter's raw value."""
    value = SubElement(parent, "DynamicValue")
    SubElement(value, "ParameterInstanceRef", {"parameterRef": parameter, "useCalibratedValue": "false"})
    if (slope, intercept) != (1, 0):
        SubElement(value, "LinearAdjustment", {"slope": str(slope), "intercept": str(intercept)})


def _text_end(parent: Element, text: Text) -> None:
    if text.end != "whole":
        SubElement(parent, "TerminationChar").text = "00" * text.unit


def _tag(field: Field) -> tuple[str, dict[str, str]]:
    if field.is_enum:
        return "Enumerated", {}
    if field.kind in ("bytes", "padding", "string"):
        return "String" if field.text is not None and field.text.encoding in ENCODINGS else "Binary", {}
    if field.kind == "flag":
        return "Boolean", {}
    if field.kind == "float" or (field.quantity is not None and not field.quantity.identity):
        return "Float", {"sizeInBits": "64"}
    if field.bits > 64:
        raise DeclarationError(field.name, f"an integer of {field.bits} bits cannot be told in XTCE")
    return "Integer", {"signed": "true" if field.kind == "sint" else "false", "sizeInBits": str(field.bits)}


def _encoding(kind: Element, field: Field) -> None:
    size = str(field.bits)
    if field.text is not None and field.text.encoding in ENCODINGS:
        encoding = SubElement(kind, "StringDataEncoding", {"encoding": ENCODINGS[field.text.encoding]})
        fixed = SubElement(encoding, "SizeInBits")
        SubElement(SubElement(fixed, "Fixed"), "FixedValue").text = size
        _text_end(fixed, field.text)
        return
    if field.kind in ("bytes", "padding", "string"):
        encoding = SubElement(kind, "BinaryDataEncoding")
        SubElement(SubElement(encoding, "SizeInBits"), "FixedValue").text = size
        return
    order = {"byteOrder": "leastSignificantByteFirst"} if field.little else {}
    if field.kind == "float":
        encoding = SubElement(kind, "FloatDataEncoding", {"encoding": "IEEE754_1985", "sizeInBits": size} | order)
    else:
        code = "twosComplement" if field.kind == "sint" else "unsigned"
        encoding = SubElement(kind, "IntegerDataEncoding", {"encoding": code, "sizeInBits": size} | order)
    quantity = field.quantity
    if quantity is not None and not quantity.identity:
        _calibrator(SubElement(encoding, "DefaultCalibrator"), quantity.calibration)


def _calibrator(parent: Element, calibration: Calibration) -> None:
    if isinstance(calibration, Table):
        order = "1" if calibration.interpolate == "linear" else "0"
        attributes = {"order": order, "extrapolate": str(calibration.extrapolate).lower()}
        spline = SubElement(parent, "SplineCalibrator", attributes)
        for raw, value in calibration.points:
            SubElement(spline, "SplinePoint", {"raw": repr(float(raw)), "calibrated": repr(float(value))})
        return
    if isinstance(calibration, Linear):
        coefficients: tuple[float, ...] = (calibration.offset, calibration.scale)
    else:
        coefficients = calibration.coefficients
    polynomial = SubElement(parent, "PolynomialCalibrator")
    for exponent, coefficient in enumerate(coefficients):
        SubElement(polynomial, "Term", {"coefficient": repr(float(coefficient)), "exponent": str(exponent)})
