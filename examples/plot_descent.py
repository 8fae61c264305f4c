"""Draw a recorded descent: altitude, speed, deceleration, pressure and temperature against time.

    hil fly --lockstep --record out/descent.sqlite && python examples/plot_descent.py out/descent.sqlite out/descent.png

Needs matplotlib: pip install matplotlib
"""

import sys

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

import groundstation

CURVES = ("altitude", "speed", "deceleration", "temperature", "pressure")


def main(recording: str, picture: str) -> None:
    """Draw the packets DESCENT of a recording into a picture."""
    with groundstation.open_recording(recording) as rec:
        descent = rec.packets("DESCENT")
        units = {each.name: each.unit for each in rec.mission.dictionary.by_name["DESCENT"].parameters}
        losses = [loss for loss in rec.losses() if loss.channel == "lander"]
    figure, axes = plt.subplots(len(CURVES), sharex=True, figsize=(9, 11), layout="constrained")
    for axis, name in zip(axes, CURVES, strict=True):
        axis.plot(descent.time, descent[name], linewidth=1)
        axis.set_ylabel(f"{name}\n{units[name]}")
        for loss in losses:
            axis.axvline(descent.time[-1], color="crimson", linestyle="--", label=f"LOS {loss.cause}")
    axes[0].legend()
    axes[0].set_title(f"Mars 6, {descent.rows} packets received")
    axes[-1].set_xlabel("12 March 1974, UTC on board")
    figure.savefig(picture)
    print(f"{picture}: {descent.rows} packets, {descent.time[0]} to {descent.time[-1]}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
