# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of framebuffers share: a machine's screen, what is on it, and a console with text that comes back."""
import os
import re
import signal
import sys
import tempfile
import time
import traceback

import harness
import machine
import screen

FOREVER = 0x7fffffff
WAYS = ("flipped", "converted", "copied", "dropped", "overflowed")
TEXT = r"printf '\033[2J\033[Hthe console of the test machine\n\n\033[44;33m as it was before \033[0m\n' >/dev/tty1"


class Framebuffer:
    """/dev/fbN of a machine; qemu's device, where its screen can be seen from outside."""

    def __init__(self, vm, number, device=None, width=640, height=480):
        self.vm, self.number, self.device = vm, number, device
        self.path = f"/dev/fb{number}"
        self.width, self.height = width, height
        self.sink = f"fbdevzerosink name=sink sync=false device={self.path}"
        self.flip = f"{self.sink} offer-pages=always"  # a busy machine may find that pages read slowly

    def tool(self, words):
        """What fbtool says: name -> text."""
        self.vm.run(f"{os.environ['BA_VM_FBTOOL']} {self.path} {words}")
        return dict(re.findall(r"(\w+)=(\S+)", self.vm.said))

    def clear(self):
        """Makes all of its memory black: what is seen later is new."""
        self.vm.run(f"head -c {self.tool('info')['memory']} /dev/zero >{self.path}", check=False)

    def seen(self):
        """What is on the screen now."""
        return screen.read_ppm(self.vm.screendump(device=self.device))

    def until_seen(self, wanted, tolerance=0, what=""):
        """Waits until the screen is exactly this."""
        found = []

        def check():
            found[:] = [self.seen()]
            # what differs is a long question, asked when there is no time left to wait
            same = found[0].rgb == wanted.rgb or tolerance and not screen.difference(found[0], wanted, tolerance)
            assert same, f"{self.path} {what}"
        try:
            eventually(check)
        except AssertionError as e:
            for name, picture in (("found", found[0]), ("wanted", wanted)):
                path = os.path.join(self.vm.log_dir, f"{self.vm.count:03}-{name}.ppm")
                screen.write_ppm(path, picture)
            raise AssertionError(f"{e}: {screen.difference(found[0], wanted, tolerance)}") from None

    def rows(self, form, which="visible"):
        """The rows that the driver says are shown (or, "top", the memory's first), read from the framebuffer."""
        self.tool(f"{which} rows.raw")
        with open(os.path.join(self.vm.results, "rows.raw"), "rb") as file:
            return screen.from_rows(form, self.width, self.height, file.read())

    def until_visible(self, wanted, form):
        """The same of the framebuffer itself."""
        def check():
            why = screen.difference(self.rows(form), wanted)
            assert why is None, f"{self.path}: {why}"
        eventually(check)

    def until_other(self, before):
        """Waits until the screen is anything else."""
        def check():
            assert self.seen().rgb != before.rgb, f"{self.path}: nothing new is seen"
        eventually(check)

    def console(self):
        """Writes text on the console. What the screen is when all of it is there."""
        self.vm.run(TEXT)
        return self.still()

    def still(self):
        """What is on the screen when that does not change any more, which is text."""
        pictures = [self.seen()]

        def check():
            pictures.append(self.seen())
            assert pictures[-1].rgb == pictures[-2].rgb and len(set(pictures[-1].rgb)) > 1, "no text on the console"
        eventually(check)
        return pictures[-1]


def eventually(check):
    """Drivers take a while to show something: repeats until `check` is content."""
    end = time.monotonic() + machine.SHOW_S
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > end:
                raise


def draw(source):
    """The bytes that `source` gives. Without a preroll, in which pipelines of so few frames hang now and then."""
    with tempfile.NamedTemporaryFile(prefix="bufalloc-") as file:
        play = harness.Play(f"{source} ! filesink async=false location={file.name}").to_end()
        play.stop()
        assert not play.errors, play.errors
        return file.read()


def drawn(source, form, width, height):
    """The last picture that `source` gives in this format."""
    raw = draw(f"{source} ! video/x-raw,format={form},width={width},height={height}")
    return screen.from_raw(form, width, height, raw)


def moving(frames):
    """Another picture with every frame."""
    return f"videotestsrc pattern=ball animation-mode=frames num-buffers={frames}"


def assert_ways(stats, **wanted):
    """frame-stats of a sink: the ways that are named have these counts, the others none."""
    found = {way: stats[way] for way in WAYS}
    assert found == {way: wanted.get(way, 0) for way in WAYS}, f"{found}, reason: {stats['reason']!r}"


def check_picture(fb, source, wanted, sink="", tolerance=0, debug=""):
    """Plays `source` to its end: the last picture on the screen is `wanted`. The player's frame-stats."""
    fb.clear()
    player = fb.vm.play(f"{source} ! {fb.sink} {sink}", debug=debug)
    try:
        fb.until_seen(wanted, tolerance, source)
    except AssertionError as e:
        raise AssertionError(f"{e}\n{player.signal(signal.SIGKILL)}") from None
    return player.stop()


def check_frames(fb, form, way, sink="", frames=(4, 5)):
    """Each of these frames is exactly on the screen when it was the last, and all went the same way."""
    if way == "flipped":
        sink += " offer-pages=always"
    for n in frames:
        stats = check_picture(fb, moving(n), drawn(moving(n), form, fb.width, fb.height), sink)
        assert_ways(stats["sink"], **{way: n})


def check_h264(fb):
    """A clip whose frames are wrapped by the decoder and converted once, straight into pages."""
    path = harness.clip("h264-640x480", 6, ".mp4")
    source = f"filesrc location={path} ! qtdemux ! h264parse ! "
    last = draw(f"{source} avdec_h264 ! video/x-raw,format=I420")[-640 * 480 * 3 // 2:]
    reference = harness.colour_reference(last, 640, 480)
    fb.clear()
    player = fb.vm.play(f"{source} avzerodec name=dec ! {fb.sink}")

    def check():
        rgb = fb.seen().rgb
        bgrx = bytearray(640 * 480 * 4)
        for colour in range(3):
            bgrx[2 - colour::4] = rgb[colour::3]
        harness.assert_colours(bgrx, reference)
    eventually(check)
    stats = player.stop()
    assert_ways(stats["sink"], converted=6)
    assert stats["sink"]["bytes-copied"] == 0 and stats["dec"]["wrapped"] == 6, stats


def check_ffv1(fb, sink):
    """A clip that is decoded into the pages."""
    path = harness.clip("ffv1-bgr0-640x480", 4, ".mkv")
    source = f"filesrc location={path} ! matroskademux ! "
    stats = check_picture(fb, f"{source} avzerodec name=dec direct-rendering=always",
                          drawn(f"{source} avdec_ffv1", "BGRx", 640, 480), f"offer-pages=always {sink}")
    assert_ways(stats["sink"], flipped=4)
    assert stats["dec"]["direct"] == 4 and stats["dec"]["copied"] == 0, stats


def check_put_back(fb, end=signal.SIGINT):
    """The console is what it was, to the pixel, when a player on its terminal was ended by this signal."""
    before = fb.console()
    player = fb.vm.play(f"{moving(FOREVER)} ! {fb.sink}", terminal=True)
    try:
        fb.until_other(before)
        mode = fb.tool("info")
    finally:
        player.signal(end)
    fb.until_seen(before, what=f"after signal {int(end)}")
    fb.vm.run("while pgrep -x bufalloc-watch; do :; done")
    after = fb.tool("info")
    assert after["place"] == "0,0" and after["bits"] == mode["bits"], after


def check_error(fb):
    """The same where the pipeline ends with an error."""
    before = fb.console()
    script = os.path.join(os.path.dirname(os.path.abspath(harness.__file__)), "harness.py")
    pipeline = f"videotestsrc ! identity error-after=5 ! {fb.sink}"
    status = fb.vm.run(f"/usr/bin/python3 {script} '{pipeline}' </dev/tty1", check=False)
    assert status == 1 and "ERROR" in fb.vm.said, fb.vm.said
    fb.until_seen(before, what="after an error")


def end_players(vm):
    """What a test has left that failed: the next one has the machine for itself."""
    for player in list(vm.players):
        try:
            player.signal(signal.SIGKILL)
        except machine.Failed as e:
            print(e)


def main(module):
    """Runs every function of a module whose name begins with test_, or those that are named, and says how long each
    took."""
    chosen = sys.argv[1:]
    passed = failed = 0
    for name, function in list(vars(module).items()):
        if not name.startswith("test_") or (chosen and name not in chosen):
            continue
        began = time.monotonic()
        try:
            function()
            passed += 1
            print(f"ok {name}: {time.monotonic() - began:.0f} s", flush=True)
        except Exception:  # whatever went wrong, the others still run
            failed += 1
            print(f"FAILED {name}")
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
            end_players(module.VM)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)
