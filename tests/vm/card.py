# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of KMS share: a card of a machine, and what it scans out where qemu shows no screen."""
import contextlib
import os
import re
import signal

import harness
import machine
import screen
from fbdev import FOREVER, Framebuffer, eventually, moving


class Card(Framebuffer):
    """/dev/dri/cardN; N is also the number of its framebuffer, on which the console can be drawn."""

    def __init__(self, vm, number, device=None, width=640, height=480, options="", head=0):
        super().__init__(vm, number, device, width, height)
        self.card = f"/dev/dri/card{number}{options}"
        self.head = head
        self.sink = f"fbdevzerosink name=sink sync=false device={self.card}"
        self.flip = f"{self.sink} offer-pages=always"

    def clear(self):
        """Nothing to do: what was shown before is a framebuffer of somebody else's."""

    def console(self):
        self.tool("console")
        return super().console()

    def switch(self, terminal):
        """To another text terminal, as Alt-F2 does."""
        self.vm.run(f"{os.environ['BA_VM_FBTOOL']} /dev/tty{terminal} switch")

    def seen(self):
        return screen.read_ppm(self.vm.screendump(device=self.device, head=self.head))

    def crc(self):
        """Of what vkms scans out."""
        self.vm.run(f"d=/sys/kernel/debug/dri/{self.number}/crtc-0/crc; echo auto >$d/control; head -n 2 $d/data")
        return int(self.vm.said.split()[-1], 16)

    def until_scanned_out(self, wanted):
        def check():
            found = self.crc()
            assert found == wanted, f"{self.card}: {found:08x}, not {wanted:08x}"
        eventually(check)

    def state(self):
        """What debugfs says of planes, CRTCs and connectors."""
        self.vm.run(f"cat /sys/kernel/debug/dri/{self.number}/state")
        return self.vm.said

    def planes(self):
        """The numbers of its planes; the first is the primary one."""
        return [int(number) for number in re.findall(r"plane\[(\d+)\]", self.state())]

    def connectors(self):
        """name -> number"""
        return {name: int(number) for number, name in re.findall(r"connector\[(\d+)\]: (\S+)", self.state())}

    @contextlib.contextmanager
    def flipping(self, words, program=os.environ.get("BA_VM_FLIP")):
        """While its body runs, flip_pages, or another program that takes a device first and "hold" last, keeps the last
        of its frames on the screen. Gives a function that returns what it has said, when it is over."""
        vm = self.vm
        log = os.path.join(vm.results, f"flip{vm.count}.log")
        hold = f"/run/flip{vm.count}"
        vm.run(f"mkfifo {hold}; {program} {self.card} {words} hold <>{hold} >{log} 2>&1 & echo $!")
        pid = int(vm.said.split()[-1])
        said = []
        try:
            yield lambda: said[0]
        finally:
            vm.run(f"echo >{hold}; timeout {machine.END_S} tail --pid={pid} -s 0.1 -f /dev/null || kill -9 {pid}")
            with open(log, encoding="utf-8") as file:
                said.append(file.read())


def bars(width, height, frame):
    """What flip_pages has drawn in its frame of this number."""
    rows = height // 16 + 1
    first = frame * 4 % (height - rows + 1)
    return screen.Picture(width, height, bytes(3 * width * first) + b"\xff" * (3 * width * rows)
                          + bytes(3 * width * (height - rows - first)))


def error_of(vm, pipeline):
    """Plays a pipeline that must end with an error; what it says."""
    script = os.path.join(os.path.dirname(os.path.abspath(harness.__file__)), "harness.py")
    status = vm.run(f"/usr/bin/python3 {script} '{pipeline}'", check=False)
    assert status == 1, f"{pipeline}: {status}: {vm.said}"
    return vm.said


def check_goes_on(app):
    """Frames come, whether anybody sees them or not."""
    before = int(app.say("frames"))

    def check():
        assert int(app.say("frames")) > before + 3, f"no frames after {before}: {app.say('ask')}"
    eventually(check)


def check_taken_away(vm, opened, number, sink):
    """The driver lets go of a card in the middle of a stream: one error that says so, and no other complaint."""
    vm.run(f"readlink -f /sys/class/drm/card{number}/device /sys/class/drm/card{number}/device/driver")
    device, driver = vm.said.split()
    app = machine.Application(vm, opened, f"{moving(FOREVER)} ! video/x-raw,framerate=30/1 ! {sink}")
    check_goes_on(app)
    vm.run(f"basename {device} >{driver}/unbind")

    def check():
        assert "is gone" in app.say("ask"), vm.said
    eventually(check)
    said = app.signal(signal.SIGINT)
    assert "WARN" not in said and "CRITICAL" not in said, said
    vm.run(f"basename {device} >{driver}/bind")
