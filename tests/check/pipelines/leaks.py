# SPDX-License-Identifier: LGPL-2.1-or-later
"""GStreamer's leaks tracer over pipelines that stand for all: nothing of GStreamer's may be alive at the end."""
import re
import sys

from harness import Gst, clip, launch, main, play_in_process

SINK = "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0"


def assert_no_leaks(pipeline, may_fail=False):
    code, said, _ = (play_in_process if may_fail else launch)(pipeline, env={"GST_TRACERS": "leaks"})
    assert may_fail or code == 0, said
    assert "object-alive.class" in said, "the tracer did not run"
    alive = re.findall(r"object-alive, type-name=\(string\)(?!%s).*", said)
    assert not alive, "\n".join(alive)


def test_flips():
    assert_no_leaks(f"videotestsrc num-buffers=10 ! {SINK}")


def test_flips_behind_a_queue():
    assert_no_leaks(f"videotestsrc num-buffers=10 ! queue ! {SINK}")


def test_copies():
    assert_no_leaks(f"videotestsrc num-buffers=10 ! {SINK} offer-pages=never")


def test_one_page():
    assert_no_leaks(f"videotestsrc num-buffers=10 ! {SINK} pages=1")


def test_windows():
    assert_no_leaks(f"videotestsrc num-buffers=10 ! video/x-raw,format=BGRx,width=80,height=60 ! {SINK} scaling=none")


def test_scaled():
    assert_no_leaks(f"videotestsrc num-buffers=10 ! video/x-raw,format=NV12,width=80,height=60 ! {SINK}")


def test_compositor():
    assert_no_leaks("videotestsrc num-buffers=10 ! compositor ! video/x-raw,format=BGRx,width=160,height=120 ! " + SINK)


def test_tee():
    assert_no_leaks(f"videotestsrc num-buffers=10 ! tee name=t ! queue ! {SINK} t. ! queue ! fakesink")


def test_a_device_that_cannot_be_opened():
    assert_no_leaks("videotestsrc num-buffers=10 ! fbdevzerosink device=nonsense", may_fail=True)


def test_an_error_upstream():
    assert_no_leaks(f"videotestsrc ! identity error-after=5 ! {SINK}", may_fail=True)


def test_h264():
    if Gst.ElementFactory.find("avzerodec"):
        media = clip("h264-160x120", 12, ".mp4")
        assert_no_leaks(f"filesrc location={media} ! qtdemux ! h264parse ! avzerodec ! {SINK}")


def test_ffv1_into_pages():
    if Gst.ElementFactory.find("avzerodec"):
        media = clip("ffv1-bgr0-160x120", 12, ".mkv")
        assert_no_leaks(f"filesrc location={media} ! matroskademux ! avzerodec ! {SINK}")


def test_a_size_that_changes():
    if Gst.ElementFactory.find("avzerodec"):
        media = clip("h264-size-change-160x120", 12, ".h264")
        assert_no_leaks(f"filesrc location={media} ! h264parse ! avzerodec ! {SINK}")


if __name__ == "__main__":
    main(sys.modules[__name__])
