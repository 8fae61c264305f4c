"""A descent as a notebook: the cells are marked, so that Jupyter, VS Code or Spyder run them one by one.

    hil fly --lockstep --record out/cells.sqlite && python examples/notebook.py out/cells.sqlite

Needs pandas and matplotlib: pip install pandas matplotlib
"""

# %% open the recording
import sys

import matplotlib as mpl
import numpy as np

mpl.use("Agg")  # leave this line out in a notebook
import matplotlib.pyplot as plt

import groundstation

path = sys.argv[1] if len(sys.argv) > 1 else "out/cells.sqlite"
rec = groundstation.open_recording(path)
print(rec, rec.meta["link"])

# %% the packets as a data frame, indexed by onboard time
descent = rec.packets("DESCENT").to_pandas()
print(descent[["phase", "altitude", "speed", "deceleration"]].describe())

# %% when did each phase begin?
began = descent["phase"].ne(descent["phase"].shift())
print(descent.loc[began, ["phase", "altitude", "speed"]])

# %% the greatest load, and where
worst = descent["deceleration"].idxmax()
print(f"greatest load {descent.loc[worst, 'deceleration']:.2f} g at {worst:%H:%M:%S.%f}")

# %% what the channel lost: steps of the tick that are not 1
missing = int(np.sum(np.diff(descent["tick"]) - 1))
print(f"{len(descent)} packets, {missing} missing between the first and the last")

# %% the verdict on the loss of signal
for loss in rec.losses():
    print(loss.channel, loss.cause, loss.evidence)

# %% draw
axis = descent.plot(x="speed", y="altitude", legend=False, logx=True)
axis.set(xlabel="speed, m/s", ylabel="altitude, m")
plt.savefig(f"{path}.png")
rec.close()
