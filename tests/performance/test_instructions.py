#!/usr/bin/env python3
"""A heartbeat's way through the core takes the recorded number of instructions, within the recorded margin; with each
call kept for the process that goes on after a crash, too.

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
FIGURES = {(): "instructions_per_heartbeat", ("kept",): "instructions_per_kept_heartbeat"}


def instructions(program, valgrind, heartbeats, *arguments):
    result = subprocess.run([valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", program, str(heartbeats),
                             *arguments], capture_output=True, text=True, check=False)
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

    red = [arguments for arguments, key in FIGURES.items()
           if not is_as_recorded(program, valgrind, arguments, key, recorded, recording)]
    if recording:
        recorded["build"] = build
        RECORD.write_text(json.dumps(recorded, indent=2) + "\n", encoding="utf-8")
    return 1 if red else 0


def is_as_recorded(program, valgrind, arguments, key, recorded, recording):
    more = instructions(program, valgrind, MANY, *arguments) - instructions(program, valgrind, FEW, *arguments)
    figure = more / (MANY - FEW)
    if recording:
        recorded[key] = round(figure)
    change = 100 * (figure / recorded[key] - 1)
    print(f"{figure:.1f} {key}, {recorded[key]} recorded: {change:+.1f} %, {recorded['margin_percent']} % are allowed")
    if abs(change) <= recorded["margin_percent"]:
        return True
    print("every heartbeat has become dearer: why?" if change > 0 else
          "it has become cheaper: record the new figure (--record), so that it stays so")
    return False


if __name__ == "__main__":
    sys.exit(main())
