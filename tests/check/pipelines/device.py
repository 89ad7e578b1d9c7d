# SPDX-License-Identifier: LGPL-2.1-or-later
"""/dev/fb0 through a stand-in that is loaded before libc: pan, vsync, and everything put back at the end."""
import errno
import os
import re
import shutil
import sys
import tempfile

from harness import assert_same, draw, launch, main, play_in_process


class FakeDevice:
    def __init__(self, width, height, bits, pages=3, pad=0, vsync="0"):
        self.dir = tempfile.mkdtemp(prefix="bufalloc-")
        self.memory = os.path.join(self.dir, "memory")
        self.log = os.path.join(self.dir, "log")
        self.width, self.height, self.bytes = width, height, bits // 8
        self.stride = width * self.bytes + pad
        self.env = {"LD_PRELOAD": os.environ["BA_FAKEFB"], "FAKEFB": f"{width}x{height}x{bits},pages={pages},pad={pad}",
                    "FAKEFB_MEM": self.memory, "FAKEFB_LOG": self.log, "FAKEFB_VSYNC": vsync}

    def play(self, pipeline, how=launch):
        code, said, stats = how(pipeline, env=self.env)
        with open(self.log, encoding="ascii") as f:
            self.calls = f.read().splitlines()
        return code, said, stats

    def count(self, name):
        return sum(line.startswith(name) for line in self.calls)

    def page(self, number):
        with open(self.memory, "rb") as f:
            data = f.read()
        at = number * self.height * self.stride
        return b"".join(data[at + y * self.stride:at + y * self.stride + self.width * self.bytes]
                        for y in range(self.height))

    def last_shown(self):
        """The page of the last pan before the end, which looks whether the mode is ours still and puts it back."""
        end = max(i for i, line in enumerate(self.calls) if line.startswith("FBIOGET_FSCREENINFO"))
        pans = [int(re.search(r"yoffset=(\d+)", line).group(1)) for line in self.calls[:end]
                if line.startswith("FBIOPAN_DISPLAY")]
        return pans[-1] // self.height

    def assert_put_back(self):
        assert self.calls[-1] == f"final yres_virtual={self.height} yoffset=0", self.calls[-3:]
        # asking for more pages than there are is how their number is found; nothing else may fail
        assert not any("error=" in line and not line.startswith("FBIOPUT") for line in self.calls), self.calls

    def remove(self):
        shutil.rmtree(self.dir)


def test_rows_that_begin_within_a_pixel_are_copied():
    """Whoever draws may take it for granted that a pixel can be written as a whole: videotestsrc would crash."""
    device = FakeDevice(160, 120, 32, pad=2)
    source = "videotestsrc num-buffers=5 pattern=ball animation-mode=frames"
    code, said, stats = device.play(f"{source} ! fbdevzerosink name=sink sync=false device=/dev/fb0")
    assert code == 0, said
    assert stats["sink"]["copied"] == 5, stats
    drawn = draw(f"{source} ! video/x-raw,format=BGRx,width=160,height=120")
    assert_same(device.page(device.last_shown()), drawn[-160 * 120 * 4:])
    device.remove()


def flip_and_compare(bits, form, pad):
    device = FakeDevice(160, 120, bits, pad=pad)
    code, said, stats = device.play("videotestsrc num-buffers=10 pattern=ball animation-mode=frames ! fbdevzerosink name=sink sync=false "
                                    "device=/dev/fb0")
    assert code == 0, said
    assert stats["sink"]["flipped"] == 10 and stats["sink"]["pages"] == 3, stats
    assert device.count("FBIOPAN_DISPLAY") >= 10, device.calls
    assert device.count("FBIO_WAITFORVSYNC") >= 1, device.calls
    device.assert_put_back()
    drawn = draw(f"videotestsrc num-buffers=10 pattern=ball animation-mode=frames ! video/x-raw,format={form},width=160,height=120")
    size = len(drawn) // 10
    assert size == 160 * 120 * bits // 8
    assert_same(device.page(device.last_shown()), drawn[9 * size:])
    device.remove()


def test_32_bits():
    flip_and_compare(32, "BGRx", 0)


def test_32_bits_with_padded_rows():
    flip_and_compare(32, "BGRx", 128)


def test_16_bits():
    flip_and_compare(16, "RGB16", 0)


def test_24_bits():
    flip_and_compare(24, "BGR", 0)


def test_16_bits_converts_yuv():
    device = FakeDevice(160, 120, 16)
    code, said, stats = device.play("videotestsrc num-buffers=5 pattern=white ! video/x-raw,format=I420,width=160,"
                                    "height=120 ! fbdevzerosink name=sink sync=false device=/dev/fb0")
    assert code == 0 and stats["sink"]["converted"] == 5, said
    assert device.page(device.last_shown()) == b"\xff\xff" * (160 * 120)
    device.assert_put_back()
    device.remove()


def test_vsync_false_does_not_wait():
    device = FakeDevice(160, 120, 32)
    code, said, stats = device.play("videotestsrc num-buffers=10 ! fbdevzerosink name=sink sync=false vsync=false "
                                    "device=/dev/fb0")
    assert code == 0 and stats["sink"]["flipped"] == 10, said
    assert device.count("FBIO_WAITFORVSYNC") == 0, device.calls
    device.assert_put_back()
    device.remove()


def test_a_driver_without_vsync_is_asked_once():
    device = FakeDevice(160, 120, 32, vsync="unsupported")
    code, said, stats = device.play("videotestsrc num-buffers=10 ! fbdevzerosink name=sink sync=false device=/dev/fb0")
    assert code == 0 and stats["sink"]["flipped"] == 10, said
    assert device.count("FBIO_WAITFORVSYNC") == 1, device.calls
    assert device.calls[-1] == "final yres_virtual=120 yoffset=0", device.calls
    device.remove()


def test_one_page_is_copied_to():
    device = FakeDevice(160, 120, 32, pages=1)
    code, said, stats = device.play("videotestsrc num-buffers=5 pattern=white ! fbdevzerosink name=sink sync=false "
                                    "device=/dev/fb0")
    assert code == 0 and stats["sink"]["copied"] == 5 and stats["sink"]["pages"] == 1, said
    assert set(device.page(0)[0::4]) == {255}
    assert device.calls[-1] == "final yres_virtual=120 yoffset=0", device.calls
    device.remove()


def test_auto_finds_it():
    device = FakeDevice(160, 120, 32)
    code, said, stats = device.play("videotestsrc num-buffers=3 ! fbdevzerosink name=sink sync=false")
    assert code == 0 and stats["sink"]["flipped"] == 3, said
    device.assert_put_back()
    device.remove()


def test_an_error_upstream_puts_everything_back():
    device = FakeDevice(160, 120, 32)
    code, said, _ = device.play("videotestsrc ! identity error-after=5 ! fbdevzerosink name=sink sync=false "
                                "device=/dev/fb0", how=play_in_process)
    assert code != 0, said
    device.assert_put_back()
    device.remove()


def test_whichever_call_fails_it_plays_or_says_why_and_puts_the_device_back():
    """Once, the n-th call in turn: a fall-back, and all frames are there, or one error. An end that does not come is a
    failure of its own (run_and_read)."""
    for pages, error in ((3, errno.EIO), (2, errno.EBUSY), (1, errno.ENOTTY)):
        played = refused = 0
        for number in range(1, 200):
            device = FakeDevice(64, 48, 32, pages=pages)
            device.env.update(FAKEFB_FAIL=f"{number},{error}", GST_DEBUG="bufalloc-stats:4,bufalloc:2")
            code, said, stats = device.play("videotestsrc num-buffers=4 pattern=white ! "
                                            "fbdevzerosink name=sink sync=false device=/dev/fb0", how=play_in_process)
            failed = [i for i, line in enumerate(device.calls) if "failed=" in line]
            what = (pages, errno.errorcode[error], number, code, said, device.calls)
            if not failed:
                break
            played += code == 0
            refused += code != 0
            assert code in (0, 1), what
            errors = re.findall(r"^ERROR: GstFbdevZeroSink ", said, re.MULTILINE)
            assert len(errors) == code, what
            if code == 0:
                shown = sum(stats["sink"][way] for way in ("flipped", "converted", "copied"))
                assert shown == 4 and stats["sink"]["dropped"] == 0, what
                assert set(device.page(0)[0::4]) == {255}, what
            # the call that puts it back may be the one that fails
            assert device.calls[-1] == "final yres_virtual=48 yoffset=0" or "cannot put its mode back" in said, what
            device.remove()
        assert not failed and code == 0, what
        assert refused > 0 and played > 0, (refused, played)
        device.remove()


if __name__ == "__main__":
    main(sys.modules[__name__])
