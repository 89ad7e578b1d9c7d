#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests examples/production_line on small clips and a virtual display: test-production-line.py PROGRAM

Every frame is shown, in order, and the last picture on the screen is the clip's last one, as ffmpeg draws it. A signal
ends it in good order, and what cannot work is said in one line. BA_MAKE_CLIP and BA_CLIP_DIR are the tests' usual ones.
"""
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)
FRAMES = 12
TRAILER_BYTES = 4096
RUN_LIMIT_S = 60


def clip(name):
    path = os.path.join(os.environ["BA_CLIP_DIR"], "%s-%d" % (name, FRAMES))
    subprocess.run([os.environ["BA_MAKE_CLIP"], name, path, str(FRAMES)], check=True, timeout=RUN_LIMIT_S)
    return path


def play(path, device):
    return subprocess.run([PROGRAM, path, device], capture_output=True, text=True, timeout=RUN_LIMIT_S)


class Screen:
    """What a virtual display has left in its file (virtual-display.h)."""

    def __init__(self, path):
        with open(path, "rb") as file:
            content = file.read()
        fields = struct.unpack_from("=8s6IQIIQ", content, len(content) - TRAILER_BYTES)
        assert fields[0] == b"BAVIRT\r\n", fields[0]
        self.width, self.height, self.stride = fields[2:5]
        page_bytes, front, self.flips = fields[7], fields[8], fields[10]
        page = content[front * page_bytes:(front + 1) * page_bytes]
        self.rows = [page[y * self.stride:y * self.stride + 4 * self.width] for y in range(self.height)]


def last_picture(path, width, height):
    """The last picture of a clip as ffmpeg draws it: rows of B, G, R, x."""
    raw = subprocess.run(
        ["ffmpeg", "-nostdin", "-loglevel", "error", "-i", path, "-vf",
         "select=eq(n\\,%d),scale=in_color_matrix=bt709:flags=neighbor+accurate_rnd+full_chroma_int" % (FRAMES - 1),
         "-f", "rawvideo", "-pix_fmt", "bgr0", "-"], stdout=subprocess.PIPE, check=True, timeout=RUN_LIMIT_S).stdout
    assert len(raw) == 4 * width * height, len(raw)
    return [raw[4 * width * y:4 * width * (y + 1)] for y in range(height)]


def colours(row):
    return [byte for i, byte in enumerate(row) if i % 4 != 3]


class ProductionLine(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.file = os.path.join(directory.name, "screen")

    def show(self, name, size):
        """Plays a clip to the end; the screen it leaves."""
        done = play(clip(name), "virtual:%s,rate=0,file=%s" % (size, self.file))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"\A%d frames shown, [0-9.]+ frames per second\n\Z" % FRAMES)
        screen = Screen(self.file)
        self.assertEqual(screen.flips, FRAMES)
        return screen

    def test_rgb_picture_is_exact(self):
        screen = self.show("ffv1-bgr0", "320x240")
        for got, wanted in zip(screen.rows, last_picture(clip("ffv1-bgr0"), 320, 240)):
            self.assertEqual(colours(got), colours(wanted))

    def test_yuv_picture_with_reordered_frames_is_right(self):
        screen = self.show("h264", "320x240")
        total = 0
        for got, wanted in zip(screen.rows, last_picture(clip("h264"), 320, 240)):
            total += sum(abs(a - b) for a, b in zip(colours(got), colours(wanted)))
        # libyuv's matrix is not exact to the bit
        self.assertLess(total / (320 * 240 * 3), 4)

    def test_smaller_picture_is_in_the_middle_of_black(self):
        screen = self.show("ffv1-bgr0", "400x300,stride=1664")
        wanted = last_picture(clip("ffv1-bgr0"), 320, 240)
        for y, row in enumerate(screen.rows):
            inside = 30 <= y < 270
            expected = colours(wanted[y - 30]) if inside else [0] * 960
            self.assertEqual(colours(row[160:1440]), expected)
            self.assertFalse(any(row[:160]) or any(row[1440:]))

    def test_larger_picture_is_cut(self):
        screen = self.show("ffv1-bgr0", "160x120")
        wanted = last_picture(clip("ffv1-bgr0"), 320, 240)
        for y, row in enumerate(screen.rows):
            self.assertEqual(colours(row), colours(wanted[y + 60][4 * 80:4 * 240]))

    def test_signal_ends_it_in_good_order(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            # a vsync takes a second here: without the signal this would run for ten
            player = subprocess.Popen([PROGRAM, clip("h264"), "virtual:320x240,rate=1,file=" + self.file],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            while not os.path.exists(self.file) or os.path.getsize(self.file) == 0:
                self.assertIsNone(player.poll())
            player.send_signal(number)
            out, err = player.communicate(timeout=RUN_LIMIT_S)
            self.assertEqual((player.returncode, err), (0, ""))
            shown = re.match(r"(\d+) frames shown", out)
            self.assertTrue(shown, out)
            self.assertLess(int(shown.group(1)), FRAMES)
            os.unlink(self.file)

    def test_errors_are_one_line(self):
        nothing = os.path.join(os.path.dirname(self.file), "nothing")
        for path, device, reason in (
                (nothing, "virtual:320x240", "nothing: No such file"),
                (__file__, "virtual:320x240", "test-production-line.py: "),
                (clip("h264"), "virtual:320x240,format=RGB16", "BGRx"),
                (clip("h264"), "nonsense", "nonsense"),
                (clip("h264-10bit"), "virtual:320x240", "yuv420p10le")):
            done = play(path, device)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, r"\Aproduction_line: [^\n]*%s[^\n]*\n\Z" % reason)
        self.assertEqual(subprocess.run([PROGRAM], capture_output=True, timeout=RUN_LIMIT_S).returncode, 2)


if __name__ == "__main__":
    unittest.main()
