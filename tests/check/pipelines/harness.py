# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the pipeline tests share: a pipeline of GStreamer in this process or in one of its own (gst-launch-1.0), the
virtual screen's file, clips, and a runner that prints "N passed, N failed".

Nothing here waits for a time to pass: a hang is caught by meson's timeout.
"""
import gc
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import traceback

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

Gst.init(None)

TRAILER_BYTES = 4096
TRAILER = struct.Struct("=8sIIIIIIQIIQ")
HANG_S = 60  # whatever a process does in these tests takes a second or two
COUNTS = ("flipped", "converted", "copied", "dropped")


class Screen:
    """A virtual display in a file of its own."""

    def __init__(self, width, height, options="rate=0"):
        self.dir = tempfile.mkdtemp(prefix="bufalloc-")
        self.path = os.path.join(self.dir, "screen")
        self.device = f"virtual:{width}x{height},{options},file={self.path}"

    def picture(self, pixel_bytes=4):
        """The rows of the page on screen, without what is behind them."""
        with open(self.path, "rb") as f:
            data = f.read()
        (magic, _, width, height, stride, _, _, page_bytes, front, _, sequence) = TRAILER.unpack_from(
            data, len(data) - TRAILER_BYTES)
        assert magic == b"BAVIRT\r\n", "the file has no trailer"
        self.sequence = sequence
        at = front * page_bytes
        return b"".join(data[at + y * stride:at + y * stride + width * pixel_bytes] for y in range(height))

    def remove(self):
        shutil.rmtree(self.dir)


class Play:
    """A pipeline in this process. Each error message on the bus is kept."""

    def __init__(self, launch):
        self.errors = []
        self.paths = []
        try:
            self.pipeline = Gst.parse_launch(launch)
        except GLib.Error as e:
            raise AssertionError(f"{launch}: {e}") from e
        self.bus = self.pipeline.get_bus()

    def note(self, message):
        if message.type == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            self.errors.append(f"{type(message.src).__name__} {message.src.get_name()}: {error.message} [{debug}]")
        elif message.type == Gst.MessageType.ELEMENT and message.get_structure().has_name("fbdevzerosink-path"):
            self.paths.append(message.get_structure().get_string("path"))

    def drain(self):
        while True:
            message = self.bus.pop()
            if message is None:
                return
            self.note(message)

    def wait(self, types=Gst.MessageType.EOS | Gst.MessageType.ERROR):
        while True:
            message = self.bus.timed_pop(Gst.CLOCK_TIME_NONE)
            self.note(message)
            # The extended types are numbers, no bits: one of them would be taken for EOS.
            if message.type & types and not message.type & Gst.MessageType.EXTENDED:
                return message.type

    def to_end(self):
        """Plays to the end or to an error; what is left on the bus is read, too."""
        if self.pipeline.set_state(Gst.State.PLAYING) != Gst.StateChangeReturn.FAILURE:
            self.wait()
        self.drain()
        return self

    def stats(self, name="sink"):
        structure = self.pipeline.get_by_name(name).get_property("frame-stats")
        return {structure.nth_field_name(i): structure.get_value(structure.nth_field_name(i))
                for i in range(structure.n_fields())}

    def stop(self):
        self.pipeline.set_state(Gst.State.NULL)


def play(launch):
    """To the end, without an error. (stats of the sink, stats of `dec` or None)"""
    p = Play(launch).to_end()
    try:
        assert not p.errors, p.errors
        return p.stats(), p.stats("dec") if p.pipeline.get_by_name("dec") else None
    finally:
        p.stop()


def draw(source):
    """The bytes that `source` gives, frame after frame, as a file sink gets them."""
    with tempfile.NamedTemporaryFile(prefix="bufalloc-") as f:
        p = Play(f"{source} ! filesink async=false location={f.name}").to_end()
        p.stop()
        assert not p.errors, p.errors
        return f.read()


def assert_counts(stats, **wanted):
    """Those named are these, the others are 0."""
    found = {name: stats[name] for name in COUNTS}
    assert found == {name: wanted.get(name, 0) for name in COUNTS}, f"{found}, reason: {stats['reason']!r}"


def clip(name, frames=None, extension=""):
    """The path of a clip, made when it is not there."""
    out = os.path.join(os.environ["BA_CLIP_DIR"], f"{name}-{frames or 30}{extension}")
    subprocess.run([os.environ["BA_MAKE_CLIP"], name, out] + ([str(frames)] if frames else []), check=True)
    return out


def first_difference(a, b):
    if len(a) != len(b):
        return f"{len(a)} bytes and {len(b)}"
    return next(f"byte {i}: {x} and {y}" for i, (x, y) in enumerate(zip(a, b)) if x != y)


def assert_same(a, b):
    assert a == b, first_difference(a, b)


def play_alone(text):
    """What play_in_process() starts: plays a pipeline to its end, and says each error once."""
    p = Play(text).to_end()
    p.stop()
    for error in p.errors:
        print(f"ERROR: {error}")
    code = 1 if p.errors else 0
    del p
    gc.collect()
    Gst.deinit()
    sys.exit(code)


def play_in_process(*words, env=None):
    """As launch(), for pipelines that end with an error: gst-launch-1.0 hangs now and then when one comes while it
    waits for the preroll, whatever elements there are."""
    return run_and_read([sys.executable, os.path.abspath(__file__), " ".join(words)], env)


def launch(*words, env=None):
    """gst-launch-1.0 in a process of its own: (exit code, what it said, the stats of each of our elements)."""
    return run_and_read(["gst-launch-1.0", "-q"] + " ".join(words).split(), env)


def run_and_read(command, env):
    variables = {**os.environ, "GST_DEBUG": "bufalloc-stats:4,GST_TRACER:7", "GST_DEBUG_NO_COLOR": "1", **(env or {})}
    try:
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=HANG_S)
    except subprocess.TimeoutExpired as e:
        raise AssertionError(f"hangs: {' '.join(command)}\n{e.stdout}\n{e.stderr}") from None
    said = done.stdout + done.stderr
    stats = {}
    for name, line in re.findall(r"frame-stats (\S+): (frame-stats, .*);", said):
        stats[name] = {key: int(value) for key, value in re.findall(r"([a-z-]+)=(?:\([a-z0-9]+\))?(\d+)\b", line)}
    return done.returncode, said, stats


def colour_reference(i420, width, height, kr=0.2126, kb=0.0722):
    """The rows of an I420 picture of limited range as BGR floats, nearest chroma. None where out of gamut."""
    chroma_w, chroma_h = (width + 1) // 2, (height + 1) // 2
    u_at, v_at = width * height, width * height + chroma_w * chroma_h
    kg = 1 - kr - kb
    out = []
    for y in range(height):
        for x in range(width):
            luma = (i420[y * width + x] - 16) * 255 / 219
            c = y // 2 * chroma_w + x // 2
            cb, cr = (i420[u_at + c] - 128) * 255 / 224, (i420[v_at + c] - 128) * 255 / 224
            r, b = luma + 2 * (1 - kr) * cr, luma + 2 * (1 - kb) * cb
            g = (luma - kr * r - kb * b) / kg
            out.append((b, g, r) if 0 <= min(r, g, b) and max(r, g, b) <= 255 else None)
    return out


def assert_colours(bgrx, reference, largest=3, mean=1):
    """Each channel of each pixel is within `largest` of the reference, and all within `mean` on average."""
    total = n = 0
    for i, pixel in enumerate(reference):
        if pixel is None:
            continue
        for c in range(3):
            off = abs(bgrx[4 * i + c] - pixel[c])
            assert off <= largest, f"pixel {i}, channel {c}: {bgrx[4 * i + c]}, not {pixel[c]:.1f}"
            total += off
            n += 1
    assert n > 0 and total / n <= mean, f"off by {total / max(n, 1):.2f} on average of {n}"


def main(module):
    """Runs every function of a module whose name begins with test_."""
    wanted = sys.argv[1:]
    passed = failed = 0
    for name, function in list(vars(module).items()):
        if not name.startswith("test_") or (wanted and name not in wanted):
            continue
        try:
            function()
            passed += 1
        except Exception:  # whatever went wrong, the others still run
            failed += 1
            print(f"FAILED {name}")
            traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    play_alone(sys.argv[1])
