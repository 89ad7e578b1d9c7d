#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""run-docs.py TOP FAKEFB FILE...: runs every command of the documentation.

A command is a line of a block fenced with ```sh; lines that end in a backslash go on. All of them run from the top of
the tree, in the order in which they stand. Three kinds are not run as they are:
- ./scripts/check is what runs this test;
- commands that name /dev/fb0 get FAKEFB loaded before libc, so that there is one;
- commands behind a line `<!-- not run: WHY -->` are counted as skipped.
Prints "N passed, N failed".
"""
import os
import re
import subprocess
import sys

LIMIT_S = 900


def commands(path):
    """Yields (line number, command, why it is not run or None)."""
    block, skip, parts, first = False, None, [], 0
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        marker = re.match(r"<!-- not run: (.*) -->$", line)
        if marker:
            skip = marker.group(1)
        elif line.startswith("```"):
            if block:
                skip = None
            block = line == "```sh"
        elif block and line.strip():
            first = first or number
            parts.append(line.rstrip("\\").strip())
            if not line.endswith("\\"):
                yield first, " ".join(parts), skip
                parts, first = [], 0


def run(top, fakefb, command):
    env = dict(os.environ)
    # what the test harness sets for uninstalled plugins must not help a command that a reader has to paste
    for name in ("GST_PLUGIN_PATH", "GST_REGISTRY", "LD_LIBRARY_PATH"):
        env.pop(name, None)
    if "/dev/fb0" in command:
        env.update(LD_PRELOAD=fakefb, FAKEFB="1280x720x32,pages=3")
    return subprocess.run(["bash", "-e", "-c", command], cwd=top, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          timeout=LIMIT_S, check=False)


def main():
    top, fakefb, files = sys.argv[1], sys.argv[2], sys.argv[3:]
    passed = failed = skipped = 0
    for path in files:
        name = os.path.relpath(path, top)
        for number, command, why in commands(path):
            if command.startswith("./scripts/check"):
                why = "it is what runs this test"
            if why:
                print(f"skip {name}:{number}: {command}: {why}")
                skipped += 1
                continue
            done = run(top, fakefb, command)
            # gst-launch ends with 0 although it could not create an element that a property was set on
            wrong = done.returncode != 0 or "erroneous pipeline" in done.stdout or "-CRITICAL **" in done.stdout
            print(f"{'FAIL' if wrong else 'ok'} {name}:{number}: {command}")
            if wrong:
                print(f"  ended with {done.returncode}:\n{done.stdout[-3000:]}")
            failed += wrong
            passed += not wrong
    print(f"{skipped} not run here")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
