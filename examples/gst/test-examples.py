#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-examples.py NAME PROGRAM...: runs an example on a virtual screen and looks at the screen afterwards.

The frame-stats that it prints must say that nothing was copied, and the page on screen must show what was drawn last.
GStreamer's leaks tracer must have nothing to report for those in C (Python's own objects end after it has looked).
Prints "N passed, N failed".
"""
import math
import os
import re
import struct
import subprocess
import sys
import tempfile

TRAILER_BYTES = 4096
TRAILER = struct.Struct("=8sIIIIIIQIIQ")
FRAMES = 45


class Screen:
    """The page on the screen of a virtual display's file, BGRx."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        (magic, _, self.width, self.height, self.stride, _, _, page_bytes, front, _, self.sequence) = \
            TRAILER.unpack_from(self.data, len(self.data) - TRAILER_BYTES)
        assert magic == b"BAVIRT\r\n", "the file has no trailer"
        self.page = front * page_bytes

    def pixel(self, x, y):
        at = self.page + y * self.stride + 4 * x
        return self.data[at + 2], self.data[at + 1], self.data[at]


def run(words, leaks=True):
    env = dict(os.environ, GST_DEBUG_NO_COLOR="1")
    if leaks:
        env.update(GST_TRACERS="leaks", GST_DEBUG="GST_TRACER:7")
    done = subprocess.run(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stderr[-2000:]}"
    alive = re.findall(r"object-alive, type-name=\(string\)(?!%s).*", done.stderr)
    assert not alive, "\n".join(alive)
    assert not leaks or "object-alive.class" in done.stderr, "the leaks tracer did not run"
    assert "CRITICAL" not in done.stderr, done.stderr
    return {key: int(value) for key, value in re.findall(r"([a-z-]+)=\((?:guint64|uint)\)(\d+)", done.stdout)}


def assert_counts(stats, **wanted):
    names = ("flipped", "converted", "copied", "dropped", "overflowed")
    found = {name: stats[name] for name in names}
    assert found == {name: wanted.get(name, 0) for name in names}, found


def on_screen(program, geometry, words=(), leaks=True):
    with tempfile.TemporaryDirectory(prefix="bufalloc-") as directory:
        path = os.path.join(directory, "screen")
        stats = run(program + [word or f"virtual:{geometry},rate=0,file={path}" for word in words], leaks)
        return stats, Screen(path)


def check_box(program, geometry):
    stats, screen = on_screen(program, geometry, (None, str(FRAMES)))
    assert_counts(stats, flipped=FRAMES)
    box = 4 * (FRAMES - 1) % (screen.width - 40)
    for y in range(screen.height):
        for x in range(screen.width):
            inside = y < 40 and box <= x < box + 40
            assert screen.pixel(x, y) == ((255,) * 3 if inside else (64,) * 3), (x, y, screen.pixel(x, y))


def check_cairo(program, geometry):
    stats, screen = on_screen(program, geometry, (None, str(FRAMES)), leaks=False)
    assert_counts(stats, flipped=FRAMES)
    blue, yellow = (0, 0, 128), (255, 255, 0)
    # the middle of the half disc that the last frame shows, and the point opposite
    angle = 2 * math.pi * (FRAMES - 1) / 30 + math.pi / 2
    step = (screen.height / 6 * math.cos(angle), screen.height / 6 * math.sin(angle))
    for sign, colour in ((1, yellow), (-1, blue)):
        at = int(screen.width / 2 + sign * step[0]), int(screen.height / 2 + sign * step[1])
        assert screen.pixel(*at) == colour, (at, screen.pixel(*at))
    for x in range(screen.width):
        assert screen.pixel(x, 0) == blue and screen.pixel(x, screen.height - 1) == blue, x
    shown = sum(screen.pixel(x, y) == yellow for x in range(screen.width) for y in range(screen.height))
    area = math.pi * (screen.height / 3) ** 2 / 2
    assert abs(shown - area) < 0.05 * area, (shown, area)


def make_clip(name, frames, extension):
    out = os.path.join(os.environ["BA_CLIP_DIR"], f"{name}-{frames}{extension}")
    subprocess.run([os.environ["BA_MAKE_CLIP"], name, out, str(frames)], check=True)
    return out


def check_decoded(program, name, extension):
    media = make_clip(name, 24, extension)
    stats, screen = on_screen(program, "320x240", (media, None))
    assert_counts(stats, converted=24)
    assert stats["bytes-copied"] == 0, stats
    # the last frame, decoded by ffmpeg
    rgb = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", media, "-vf", "scale=in_color_matrix=bt709:"
                          "in_range=tv:flags=neighbor+accurate_rnd,format=rgb24", "-f", "rawvideo", "-"],
                         stdout=subprocess.PIPE, check=True).stdout[-320 * 240 * 3:]
    off = sum(abs(screen.pixel(x, y)[c] - rgb[3 * (320 * y + x) + c])
              for y in range(240) for x in range(320) for c in range(3)) / len(rgb)
    assert off < 2, f"the screen is off by {off:.2f} on average from the last frame of {media}"


CHECKS = {
    "appsrc-pages": [(check_box, "320x240"), (check_box, "322x120,stride=1344")],
    "appsrc-pages-py": [(check_cairo, "320x240"), (check_cairo, "322x120,stride=1344")],
    "push-decoded": [(check_decoded, "h264", ".mp4"), (check_decoded, "mpeg4", ".mp4")],
}


def main():
    passed = failed = 0
    for function, *arguments in CHECKS[sys.argv[1]]:
        try:
            function(sys.argv[2:], *arguments)
            passed += 1
        except AssertionError as error:
            failed += 1
            print(f"FAILED {function.__name__} {arguments}: {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
