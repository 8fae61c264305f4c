"""The descent as planar motion of a point: integers, no trigonometry.

In the local frame (u horizontal, w down, r = R + h, no lift, Mars at rest):

    du/dt = u·w/r − (D/m)·u/v          dh/dt = −w
    dw/dt = g − u²/r − (D/m)·w/v − F/m   ds/dt = u·R/r

with D = ½ρv²·CdA and g = GM/r². One tick is one midpoint step, or some short ones (descent.py). The state is
kept in micrometres, so that what a division cuts off in 3,120 ticks stays far below a millimetre per second;
everything is read in millimetres.

Why every intermediate fits in int64, for any v ≤ 6 km/s at any altitude from the surface up:

    u² + w²                     ≤ (6e6 mm/s)²              = 3.6e13
    ρ · (v²/20,000)             ≤ 1.383e9 · 1.8e9          = 2.5e18     of 9.2e18
    q · CdA                     ≤ 2.5e11 µPa · 7.91e5 cm²  = 2.0e17
    (D/m) · u                   ≤ 4.4e10 µm/s² · 6e6 mm/s  = 2.7e17
    GM in 1e-5 m³/s²                                       = 4.3e18
    u · R                       ≤ 6e9 µm/s · 3.4e6 m       = 2.0e16
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.lander.physics.atmosphere import density
from hil.lander.physics.fixed import div, isqrt
from protocols.units import NS_PER_MS

TICK_MS = 100
TICK_NS = TICK_MS * NS_PER_MS
TICKS_PER_S = 10

_RADIUS_M = 3_396_000
"""Mars [C]."""
_GM_E5 = 4_282_837_000_000_000_000
"""1e-5 m³/s² [C]: the finest power of ten that fits in int64."""


@dataclass(frozen=True, slots=True)
class Vehicle:
    """What the sequencer makes of the lander for one tick.

    Attributes:
        mass_g: mass in g, constant over the tick.
        cda_middle_cm2: drag area in cm² at the middle of the tick, which moves the lander.
        cda_end_cm2: drag area in cm² at the end of the tick, which the accelerometer then feels.
        thrust_mn: retrorocket thrust in mN, straight up, mean over the tick.
    """

    mass_g: int
    cda_middle_cm2: int
    cda_end_cm2: int
    thrust_mn: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """Where the lander is and how it moves, at a tick.

    Attributes:
        altitude_um: height above the 3,396 km sphere in µm; 0 is the ground.
        horizontal_ums: horizontal velocity in µm/s.
        vertical_ums: vertical velocity in µm/s, positive is down.
        downrange_um: way over ground since entry in µm.
        speed_mms: magnitude of the velocity in mm/s.
        drag_ums2: D/m in µm/s², against the velocity: what the accelerometer feels.
    """

    altitude_um: int
    horizontal_ums: int
    vertical_ums: int
    downrange_um: int
    speed_mms: int
    drag_ums2: int

    @property
    def altitude_mm(self) -> int:
        """Height in mm."""
        return div(self.altitude_um, 1000)

    @property
    def horizontal_mms(self) -> int:
        """Horizontal velocity in mm/s."""
        return div(self.horizontal_ums, 1000)

    @property
    def vertical_mms(self) -> int:
        """Vertical velocity in mm/s, positive is down."""
        return div(self.vertical_ums, 1000)

    @property
    def downrange_mm(self) -> int:
        """Way over ground since entry in mm."""
        return div(self.downrange_um, 1000)

    @property
    def drag_mms2(self) -> int:
        """D/m in mm/s²."""
        return div(self.drag_ums2, 1000)

    @property
    def landed(self) -> bool:
        """True from the first tick on the ground."""
        return self.altitude_um <= 0


ENTRY_STATE = State(
    altitude_um=112_004_300_000,
    horizontal_ums=5_483_647_739,
    vertical_ums=1_135_608_854,
    downrange_um=0,
    speed_mms=5_600_000,
    drag_ums2=9_630,
)
"""5,600 m/s [S] at 112.0 km [C], 11.70° down [R]; the drag of 635 kg and 11.66 m² there [C]."""


def advance(state: State, vehicle: Vehicle, steps_per_s: int = TICKS_PER_S) -> State:
    """The state one step later: one midpoint step, of a tick or of a part of one. It knows no ground.

    Args:
        state: not faster than 6 km/s.
        vehicle: the lander during this step.
        steps_per_s: steps in a second.
    """
    u, w = state.horizontal_ums, state.vertical_ums
    lift_ums2 = vehicle.thrust_mn * 1_000_000 // vehicle.mass_g

    u_rate, w_rate = _acceleration(state.altitude_um, u, w, state.speed_mms, state.drag_ums2)
    altitude_mid = state.altitude_um - div(w, 2 * steps_per_s)
    u_mid = u + div(u_rate, 2 * steps_per_s)
    w_mid = w + div(w_rate - lift_ums2, 2 * steps_per_s)
    speed_mid = _speed(u_mid, w_mid)
    drag_mid = _drag(altitude_mid, speed_mid, vehicle.cda_middle_cm2, vehicle.mass_g)

    u_rate, w_rate = _acceleration(altitude_mid, u_mid, w_mid, speed_mid, drag_mid)
    altitude = state.altitude_um - div(w_mid, steps_per_s)
    u += div(u_rate, steps_per_s)
    w += div(w_rate - lift_ums2, steps_per_s)
    over_ground = div(div(u_mid * _RADIUS_M, _radius_m(altitude_mid)), steps_per_s)
    speed = _speed(u, w)
    return State(
        altitude_um=altitude,
        horizontal_ums=u,
        vertical_ums=w,
        downrange_um=state.downrange_um + over_ground,
        speed_mms=speed,
        drag_ums2=_drag(altitude, speed, vehicle.cda_end_cm2, vehicle.mass_g),
    )


def touch(above: State, below: State) -> State:
    """The state at the ground, between the last step above it and the first that is not: straight lines between."""
    part, whole = above.altitude_um // 1000, (above.altitude_um - below.altitude_um) // 1000 + 1
    u = above.horizontal_ums + div((below.horizontal_ums - above.horizontal_ums) * part, whole)
    w = above.vertical_ums + div((below.vertical_ums - above.vertical_ums) * part, whole)
    return State(0, u, w, below.downrange_um, _speed(u, w), below.drag_ums2)


def at_rest(state: State) -> State:
    """The lander on the ground, where it came down."""
    return State(0, 0, 0, state.downrange_um, 0, 0)


def _radius_m(altitude_um: int) -> int:
    """Distance from the centre of Mars in m."""
    return _RADIUS_M + div(altitude_um, 1_000_000)


def _speed(horizontal_ums: int, vertical_ums: int) -> int:
    """Magnitude of a velocity in mm/s: squares of µm/s would not fit."""
    u, w = div(horizontal_ums, 1000), div(vertical_ums, 1000)
    return isqrt(u * u + w * w)


def _drag(altitude_um: int, speed_mms: int, cda_cm2: int, mass_g: int) -> int:
    """D/m in µm/s²."""
    # (mm/s)² / 20,000 is v²/2 in 0.01 m²/s²; times 1e-11 kg/m³ it is 1e-13 Pa, and 1e7 of these are a µPa.
    q_upa = density(div(altitude_um, 1000)) * (speed_mms * speed_mms // 20_000) // 10_000_000
    # µPa · cm² / g is 1e-7 m/s².
    return q_upa * cda_cm2 // mass_g // 10


def _acceleration(
    altitude_um: int,
    horizontal_ums: int,
    vertical_ums: int,
    speed_mms: int,
    drag_ums2: int,
) -> tuple[int, int]:
    """Rates of the horizontal and the downward velocity in µm/s², thrust apart."""
    radius = _radius_m(altitude_um)
    u, w = div(horizontal_ums, 1000), div(vertical_ums, 1000)
    # (mm/s)² / m is µm/s².
    u_rate = div(u * w, radius)
    w_rate = _GM_E5 // (radius * radius) * 10 - u * u // radius
    if speed_mms == 0:
        return u_rate, w_rate
    return u_rate - div(drag_ums2 * u, speed_mms), w_rate - div(drag_ums2 * w, speed_mms)
