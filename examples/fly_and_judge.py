"""Fly a scenario and read its verdict, as a program.

    python examples/fly_and_judge.py los-091105 software

The exit code is 0 if it passed.
"""

import sys

import hil


def main(scenario: str, target: str) -> bool:
    """Fly, print each measurement, and say whether it passed."""
    result = hil.run_scenario(scenario, target)
    for row in result.measurements:
        print(f"{row.state:<8} {row.name}: {row.value} {row.unit}".rstrip())
    print(result.line)
    return result.passed


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1], sys.argv[2]) else 1)
