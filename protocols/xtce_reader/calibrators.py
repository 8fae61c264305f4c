"""Calibrators, enumerations and alarms of a type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf, nextafter

from protocols.errors import DeclarationError
from protocols.structures.calibration import Calibration, Linear, Polynomial, Table
from protocols.structures.fields import LabelRange, Limits, check_ranges
from protocols.xtce_reader.numbers import is_true, real, whole
from protocols.xtce_reader.xml_tree import Element

_MOST_TERMS = 16
_NO_LABELS = frozenset({"NaN", "Infinity", "-Infinity"})
_LONGEST_LABEL = 256


def calibration_of(parent: Element, path: str, number: Callable[[str], float | None] = real) -> Calibration | None:
    """What the default calibrator of an encoding does; None without one.

    Raises:
        DeclarationError: it cannot be read.
    """
    calibrator = parent.find("DefaultCalibrator")
    if calibrator is None:
        return None
    polynomial, spline = calibrator.find("PolynomialCalibrator"), calibrator.find("SplineCalibrator")
    try:
        if polynomial is not None:
            return polynomial_of(polynomial, path, number)
        if spline is not None:
            return _table(spline, path)
    except DeclarationError as error:
        raise calibrator.refuse(path, str(error)) from error
    kind = calibrator.children[0].tag if calibrator.children else "empty DefaultCalibrator"
    raise calibrator.refuse(path, f"a {kind} is not read: polynomials and splines are")


def polynomial_of(element: Element, path: str, number: Callable[[str], float | None]) -> Calibration:
    """A polynomial; one of two terms is linear."""
    coefficients: list[float] = []
    for term in element.all("Term"):
        exponent, coefficient = whole(term.get("exponent")), number(term.get("coefficient"))
        if exponent is None or coefficient is None or not 0 <= exponent < _MOST_TERMS:
            raise term.refuse(path, f"a term needs a coefficient and an exponent of 0 … {_MOST_TERMS - 1}")
        coefficients += [0] * (exponent + 1 - len(coefficients))
        coefficients[exponent] = coefficients[exponent] + coefficient if coefficients[exponent] else coefficient
    if len(coefficients) == 2 and coefficients[1]:
        return Linear(coefficients[1], coefficients[0])
    return Polynomial(tuple(coefficients))


def _table(element: Element, path: str) -> Table:
    points = []
    for point in element.all("SplinePoint"):
        raw, value = real(point.get("raw")), real(point.get("calibrated"))
        if raw is None or value is None:
            raise point.refuse(path, "a point needs finite numbers, raw and calibrated")
        points.append((raw, value))
    order = whole(element.get("order", "1"))
    if order not in (0, 1):
        raise element.refuse(path, f"a spline of order {element.get('order')!r} is not read: 0 and 1 are")
    extrapolate = is_true(element, "extrapolate", default=False)
    return Table(tuple(sorted(points)), "linear" if order else "none", extrapolate)


def labels_of(element: Element, path: str) -> tuple[LabelRange, ...]:
    """Lowest and highest number of each label of an enumeration, rising.

    Raises:
        DeclarationError: a number that has two labels, or a label that cannot be used.
    """
    found = []
    for each in element.all("EnumerationList", "Enumeration"):
        low, label = whole(each.get("value")), each.get("label")
        high = whole(each.get("maxValue")) if each.get("maxValue") else low
        if low is None or high is None or not label or len(label) > _LONGEST_LABEL or label in _NO_LABELS:
            raise each.refuse(path, f"{label[:_LONGEST_LABEL]!r} for {each.get('value')!r}: not a label of a number")
        found.append((low, high, label))
    try:
        return check_ranges(sorted(found))
    except DeclarationError as error:
        raise element.refuse(path, str(error)) from error


def limits_of(element: Element, path: str) -> tuple[Limits | None, list[DeclarationError]]:
    """The limits of a type's default alarm, and what of its alarms is not read."""
    problems = []
    if element.find("ContextAlarmList") is not None:
        problems.append(element.refuse(path, "alarms that depend on a context are not read"))
    ranges = element.find("DefaultAlarm", "StaticAlarmRanges")
    if ranges is None:
        return None, problems
    if ranges.get("rangeForm", "outside") != "outside":
        return None, [*problems, ranges.refuse(path, "alarms inside a range are not read")]
    ends: dict[str, tuple[float | None, float | None]] = {}
    for each in ranges.children:
        if each.tag in ("WarningRange", "CriticalRange"):
            ends[each.tag] = (
                _end(each, ("minInclusive", "minExclusive")),
                _end(each, ("maxInclusive", "maxExclusive")),
            )
        elif each.tag.endswith("Range"):
            problems.append(each.refuse(path, f"a {each.tag} is not read: WarningRange and CriticalRange are"))
    yellow, red = ends.get("WarningRange", (None, None)), ends.get("CriticalRange", (None, None))
    if not any(end is not None for end in (*yellow, *red)):
        return None, problems
    return Limits(red[0], yellow[0], yellow[1], red[1]), problems


def _end(element: Element, names: tuple[str, str]) -> float | None:
    """The limit; one that is itself outside is the next number inside."""
    inclusive, exclusive = (real(element.get(name)) for name in names)
    if inclusive is not None or exclusive is None:
        return inclusive
    return nextafter(exclusive, inf if names[1].startswith("min") else -inf)


def joined_units(units: Iterable[Element]) -> str:
    """The unit of a type, in a few characters."""
    return " ".join(unit.text for unit in units if unit.text)[:32]
