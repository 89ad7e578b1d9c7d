# SPDX-License-Identifier: LGPL-2.1-or-later
"""batest.ko (module/), cards with what no driver of a virtual machine has, and what they tell in debugfs. Built with
Debian's headers of the kernel that the machines boot, once for each state of its sources, in the build directory."""
import glob
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import zlib

import machine
from card import Card
from fbdev import draw, eventually

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "module")


def module():
    """(path of batest.ko, None), or (None, why there is none). It is an error where it can be built, and is not."""
    release, _ = machine.newest_kernel()
    headers = f"/lib/modules/{release}/build"
    if not os.path.exists(os.path.join(headers, "Module.symvers")):
        return None, f"no {headers} (package linux-headers-{machine.KERNEL}-amd64)"
    if shutil.which("make") is None:
        return None, "no make (package build-essential)"
    files = sorted(glob.glob(os.path.join(SOURCES, "*.[ch]"))) + [os.path.join(SOURCES, "Kbuild")]
    state = hashlib.sha256(release.encode())
    for path in files:
        with open(path, "rb") as file:
            state.update(file.read())
    return machine.built_once(f"batest-{state.hexdigest()[:16]}", "batest.ko",
                              lambda folder: build(files, headers, folder)), None


def build(files, headers, folder):
    with tempfile.TemporaryDirectory(prefix="bufalloc-") as work:
        for path in files:
            shutil.copy(path, work)
        done = subprocess.run(["make", "-C", headers, f"M={work}", "modules"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        with open(os.path.join(folder, "build.log"), "w", encoding="utf-8") as log:
            log.write(done.stdout)
        assert done.returncode == 0, f"batest.ko cannot be built:\n{done.stdout}"
        shutil.copy(os.path.join(work, "batest.ko"), os.path.join(folder, "new.ko"))
    os.rename(os.path.join(folder, "new.ko"), os.path.join(folder, "batest.ko"))


class TestCard(Card):
    """One of the module's cards; `plane` is the one that plays."""

    def __init__(self, vm, number, plane, options=""):
        super().__init__(vm, number, None, 640, 480, options)
        self.folder = f"/sys/kernel/debug/dri/{number}"
        self.plane = plane

    def lines(self):
        """What the card says of its connector and each plane: name -> text."""
        self.vm.run(f"cat {self.folder}/planes")
        return [dict(re.findall(r"(\w+)=(\S+)", line)) for line in self.vm.said.splitlines()]

    def connector(self):
        return self.lines()[0]

    def shown(self, plane=None):
        """What a plane shows; without "format" it is off."""
        return self.lines()[1 + (self.plane if plane is None else plane)]

    def flips(self, after=0):
        """What the planes were given: (number, plane, format, checksum) of those with a number above `after`."""
        self.vm.run(f"cat {self.folder}/flips")
        found = [line.split() for line in self.vm.said.splitlines()]
        return [(int(n), int(plane), form, int(crc, 16)) for n, plane, form, crc in found if int(n) > after]

    def last_flip(self):
        flips = self.flips()
        return flips[-1][0] if flips else 0

    def pixels(self):
        """The bytes that the plane shows."""
        path = os.path.join(self.vm.results, "pixels.raw")
        self.vm.run(f"cat {self.folder}/pixels-{self.plane} >pixels.raw")
        with open(path, "rb") as file:
            return file.read()

    def plug(self, words):
        self.vm.run(f"echo '{words}' >{self.folder}/screen")

    def unplug(self):
        """Until the player has looked: nothing tells of a screen that was away while nobody did."""
        before = int(self.connector()["looks"])
        self.plug("off")

        def look():
            assert int(self.connector()["looks"]) > before, f"{self.card}: nobody has looked"
        eventually(look)

    def until(self, check, what=""):
        """Waits until `check` is content with what the plane shows."""
        def look():
            lines = self.lines()
            assert check(lines[1 + self.plane]), f"{self.card} {what}: {lines}"
        eventually(look)

    def until_shown(self, crc, what=""):
        self.until(lambda plane: plane.get("crc") == f"{crc:08x}", f"{what} {crc:08x}")

    def until_lit(self, times):
        """Waits until the CRTC was switched on so often."""
        def look():
            assert int(self.connector()["lit"]) >= times, f"{self.card}: {self.lines()}"
        eventually(look)

    def state_to_keep(self):
        """All that must be as it was before when a player has gone: numbers that count aside."""
        lines = self.lines()
        for name in ("looks", "lit"):
            lines[0].pop(name)
        for line in lines[1:]:
            line.pop("changed")
            line.pop("crc", None)  # a console may draw a cursor
        return lines

    def until_state(self, wanted, what=""):
        def look():
            found = self.state_to_keep()
            assert found == wanted, f"{self.card} {what}: {found}, not {wanted}"
        eventually(look)


def crc_of(data):
    return zlib.crc32(data)


def sums(source, caps, frame_bytes):
    """The checksum of each frame that `source` gives."""
    raw = draw(f"{source} ! {caps}")
    assert raw and len(raw) % frame_bytes == 0, f"{len(raw)} bytes are no frames of {frame_bytes}"
    return [crc_of(raw[at:at + frame_bytes]) for at in range(0, len(raw), frame_bytes)]
