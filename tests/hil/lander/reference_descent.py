"""The descent of mars6.md in floats, written from its equations alone: what the lander's integers are compared with.

    dv/dt = −D/m − g sin γ      dγ/dt = (v/r − g/v) cos γ      dh/dt = v sin γ

integrated by Runge-Kutta in steps of 5 ms, of 1 ms below 200 m. It shares no code with the lander.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

GM, RADIUS, GAS = 4.282837e13, 3_396_000.0, 191.8
SURFACE_PA, SURFACE_K, TOP_K = 610.0, 230.0, 150.0
TOP_M = RADIUS * 25_000.0 / (RADIUS + 25_000.0)  # 25 km, in geopotential height
NEVER = math.inf


@dataclass(frozen=True)
class Descent:
    """What happens when, in s; the retrorockets fire at a height in m."""

    drogue: float = 159.0
    main: float = 212.67
    cone: float = 218.67
    fire: float = -NEVER


def density(altitude: float) -> float:
    """In kg/m³: hydrostatic, temperature linear in geopotential height, then isothermal."""
    height = RADIUS * altitude / (RADIUS + altitude)
    gravity, lapse = GM / RADIUS**2, (SURFACE_K - TOP_K) / TOP_M
    temperature = max(SURFACE_K - lapse * height, TOP_K)
    pressure = SURFACE_PA * (temperature / SURFACE_K) ** (gravity / (GAS * lapse))
    if height > TOP_M:
        pressure *= math.exp(-gravity * (height - TOP_M) / (GAS * TOP_K))
    return float(pressure / (GAS * temperature))


def area(descent: Descent, t: float, fired: float) -> float:
    """Drag area in m²."""
    if t >= fired:
        return 0.0
    drogue = 8.0 * min(max(t - descent.drogue, 0.0) / 1.5, 1.0) ** 2
    canopy = drogue + (67.44 - drogue) * min(max(t - descent.main, 0.0) / 3.0, 1.0) ** 2
    return canopy + (0.0 if t >= descent.cone else 11.66)


def _rates(descent: Descent, t: float, fired: float, state: tuple[float, ...]) -> tuple[float, ...]:
    v, gamma, h = state
    mass = 450.0 if t >= descent.cone else 635.0
    r = RADIUS + h
    g = GM / r**2
    drag = 0.5 * density(h) * v * v * area(descent, t, fired) / mass
    thrust = 41_900.0 / mass if fired <= t < fired + 0.55 else 0.0
    # Thrust is straight up: against the velocity by its vertical part, and across by the rest.
    return (
        -drag - (g - thrust) * math.sin(gamma),
        (v / r - (g - thrust) / v) * math.cos(gamma),
        v * math.sin(gamma),
    )


def impact(descent: Descent) -> tuple[float, float]:
    """Time in s and speed in m/s at the ground."""
    t, fired = 0.0, NEVER
    state: tuple[float, ...] = (5_600.0, math.radians(-11.70), 112_004.3)
    while True:
        dt = 0.005 if state[2] > 200 else 0.001
        before = state
        state = _runge_kutta(descent, t, fired, state, dt)
        if fired == NEVER and state[2] <= descent.fire:
            fired = t + dt
        t += dt
        if state[2] <= 0:
            part = before[2] / (before[2] - state[2])
            return t - dt + part * dt, before[0] + part * (state[0] - before[0])


def _runge_kutta(descent: Descent, t: float, fired: float, y: tuple[float, ...], dt: float) -> tuple[float, ...]:
    def at(part: float, k: tuple[float, ...]) -> tuple[float, ...]:
        moved = tuple(a + part * dt * b for a, b in zip(y, k, strict=True))
        return _rates(descent, t + part * dt, fired, moved)

    k1 = _rates(descent, t, fired, y)
    k2 = at(0.5, k1)
    k3 = at(0.5, k2)
    k4 = at(1.0, k3)
    return tuple(a + dt / 6 * (b + 2 * c + 2 * d + e) for a, b, c, d, e in zip(y, k1, k2, k3, k4, strict=True))
