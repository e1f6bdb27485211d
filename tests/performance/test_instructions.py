#!/usr/bin/env python3
"""A heartbeat's way through the core takes the recorded number of instructions, within the recorded margin.

    test_instructions.py PROGRAM VALGRIND BUILD            compares
    test_instructions.py PROGRAM VALGRIND BUILD --record   writes the present figure into instructions.json

Instructions are counted under callgrind, so nothing else that the machine does is in them.  More of them than
the margin allows is a change that made every heartbeat dearer; fewer is a figure to be recorded anew, or the
guard would let the next one pass.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

RECORD = Path(__file__).resolve().parent / "instructions.json"
SKIPPED = 77
# In whole rounds of the thousand clients, of whom one in a hundred is silent; the setting up is in both.
FEW, MANY = 20 * 990, 120 * 990


def instructions(program, valgrind, heartbeats):
    result = subprocess.run([valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", program, str(heartbeats)],
                            capture_output=True, text=True, check=False)
    counted = re.search(r"Collected : (\d+)", result.stderr)
    assert result.returncode == 0 and counted, f"exit code {result.returncode}:\n{result.stderr}"
    return int(counted[1])


def main():
    program, valgrind, build = sys.argv[1:4]
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    recording = "--record" in sys.argv
    if not valgrind or valgrind.endswith("-NOTFOUND"):
        print("there is no valgrind here")
        return SKIPPED
    if build != recorded["build"] and not recording:
        print(f"this is '{build}', and the figure is of '{recorded['build']}'")
        return SKIPPED

    more = instructions(program, valgrind, MANY) - instructions(program, valgrind, FEW)
    figure = more / (MANY - FEW)
    if recording:
        recorded.update(build=build, instructions_per_heartbeat=round(figure))
        RECORD.write_text(json.dumps(recorded, indent=2) + "\n", encoding="utf-8")
    change = 100 * (figure / recorded["instructions_per_heartbeat"] - 1)
    print(f"{figure:.1f} instructions a heartbeat, {recorded['instructions_per_heartbeat']} recorded: {change:+.1f} %, "
          f"{recorded['margin_percent']} % are allowed")
    if abs(change) <= recorded["margin_percent"]:
        return 0
    print("every heartbeat has become dearer: why?" if change > 0 else
          "it has become cheaper: record the new figure (--record), so that it stays so")
    return 1


if __name__ == "__main__":
    sys.exit(main())
