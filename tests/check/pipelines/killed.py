# SPDX-License-Identifier: LGPL-2.1-or-later
"""A player that plays on /dev/fb0 and its console (a stand-in) is killed, stopped, or fails: mode and console are put
back, by the watcher where the player cannot."""
import atexit
import os
import select
import signal
import struct
import subprocess
import sys
import time

from device import FakeDevice
from harness import HANG_S, main, play_in_process

KD_TEXT, KD_GRAPHICS = 0, 1
STATE_BYTES = 4096
STATE = struct.Struct("=IIiI6I")  # magic, pages, vt_mode, vt_sets, and the beginning of the mode
WATCHER = "bufalloc-watch"


class Console(FakeDevice):
    def __init__(self, vt="2", **options):
        super().__init__(160, 120, 32, **options)
        if vt:
            self.env["FAKEFB_VT"] = vt

    def state(self):
        """(mode of the console, times it was set, rows of the virtual screen, first row that is shown)"""
        try:
            with open(self.memory, "rb") as f:
                f.seek(-STATE_BYTES, os.SEEK_END)
                _, _, vt_mode, vt_sets, _, _, _, rows, _, first = STATE.unpack(f.read(STATE.size))
            return vt_mode, vt_sets, rows, first
        except (OSError, struct.error):
            return None  # not made yet

    def until(self, holds):
        end = time.monotonic() + HANG_S
        while not holds(self.state()):
            assert time.monotonic() < end, self.state()
            os.sched_yield()

    def watchers(self):
        """The watchers of this device alone: it is named in the environment that they have from the player."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
                    if f.read().strip() != WATCHER:
                        continue
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if f"FAKEFB_MEM={self.memory}".encode() in f.read().split(b"\0"):
                        found.append(int(pid))
            except OSError:
                pass  # it has ended meanwhile
        return found

    def start(self, words="videotestsrc ! fbdevzerosink sync=false device=/dev/fb0"):
        """A player, when it plays, and the watcher's pidfd."""
        player = subprocess.Popen(["gst-launch-1.0", "-q"] + words.split(), env={**os.environ, **self.env},
                                  start_new_session=True, stdout=subprocess.DEVNULL)
        atexit.register(player.kill)  # where a test fails; no harm after its end
        # the third page comes when it plays: before that gst-launch has no handlers of signals yet
        self.until(lambda state: state is not None and state[3] >= 2 * 120)
        self.until(lambda _: self.watchers())  # it gives itself its name after it was started
        watchers = self.watchers()
        assert len(watchers) == 1, watchers
        return player, os.pidfd_open(watchers[0])

    def end(self, player, watcher):
        """Waits for the end of both. Returns how the player ended."""
        code = player.wait(HANG_S)
        poll = select.poll()
        poll.register(watcher, select.POLLIN)
        assert poll.poll(HANG_S * 1000), "the watcher does not end"
        os.close(watcher)
        return code

    def assert_back(self, sets):
        assert self.state() == (KD_TEXT, sets, 120, 0), self.state()
        assert not self.watchers()


def assert_put_back_after(number, code, vt="2"):
    console = Console(vt)
    player, watcher = console.start()
    assert console.state()[:3] == (KD_GRAPHICS if vt else KD_TEXT, 1 if vt else 0, 360), console.state()
    player.send_signal(number)
    found = console.end(player, watcher)
    assert found == code, found
    console.assert_back(2 if vt else 0)
    console.remove()


def test_sigkill():
    assert_put_back_after(signal.SIGKILL, -signal.SIGKILL)


def test_sigterm():
    assert_put_back_after(signal.SIGTERM, -signal.SIGTERM)


def test_a_crash():
    assert_put_back_after(signal.SIGABRT, -signal.SIGABRT)


def test_sigint_stops_in_order():
    assert_put_back_after(signal.SIGINT, 0)


def test_over_ssh_the_console_is_left_alone_and_the_mode_put_back():
    assert_put_back_after(signal.SIGKILL, -signal.SIGKILL, vt=None)


def test_the_whole_group_is_killed():
    console = Console()
    player, watcher = console.start()
    os.killpg(player.pid, signal.SIGKILL)
    assert console.end(player, watcher) == -signal.SIGKILL
    console.assert_back(2)
    console.remove()


def test_the_end_of_the_stream():
    console = Console()
    code, said, stats = console.play("videotestsrc num-buffers=5 ! fbdevzerosink name=sink sync=false device=/dev/fb0")
    assert code == 0 and stats["sink"]["flipped"] == 5, said
    assert "KDSETMODE mode=1" in console.calls and console.calls[-2] == "KDSETMODE mode=0", console.calls
    console.assert_put_back()
    console.until(lambda _: not console.watchers())  # the player does not wait for it
    console.assert_back(2)
    console.remove()


def test_an_error_in_the_stream():
    console = Console()
    code, said, _ = console.play("videotestsrc ! identity error-after=5 ! fbdevzerosink name=sink sync=false "
                                 "device=/dev/fb0", how=play_in_process)
    assert code != 0, said
    console.until(lambda _: not console.watchers())
    console.assert_back(2)
    console.remove()


def test_one_page_that_is_not_moved_needs_no_watcher_over_ssh():
    console = Console(vt=None, pages=1)
    player = subprocess.Popen(["gst-launch-1.0", "-q", "videotestsrc", "!", "fbdevzerosink", "sync=false",
                               "device=/dev/fb0"], env={**os.environ, **console.env}, stdout=subprocess.DEVNULL)
    atexit.register(player.kill)
    console.until(lambda _: os.path.exists(console.log) and b"FBIOBLANK" in open(console.log, "rb").read())
    assert not console.watchers()
    player.kill()
    player.wait(HANG_S)
    console.assert_back(0)
    console.remove()


if __name__ == "__main__":
    main(sys.modules[__name__])
