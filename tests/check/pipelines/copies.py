# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sums the bytes that the process copies by memcpy and memmove, and holds them against frames × size."""
import os
import re
import sys
import tempfile

from harness import Gst, clip, launch, main

FRAMES = 60
WIDTH, HEIGHT = 640, 360


def copied(pipeline):
    """(bytes copied in the whole process, the stats of our elements)"""
    with tempfile.TemporaryDirectory(prefix="bufalloc-") as d:
        out = os.path.join(d, "counts")
        code, said, stats = launch(pipeline, env={"LD_PRELOAD": os.environ["BA_COPYCOUNT"], "COPYCOUNT_OUT": out})
        assert code == 0, said
        with open(out, encoding="ascii") as f:
            return int(re.match(r"bytes=(\d+)", f.read()).group(1)), stats


def assert_under(bytes_, share, size):
    assert bytes_ < share * FRAMES * size, f"{bytes_} bytes were copied: {bytes_ / FRAMES / size:.1%} of {FRAMES} frames"


def test_the_counter_sees_a_copy():
    size = WIDTH * HEIGHT * 4
    bytes_, stats = copied(f"videotestsrc pattern=black num-buffers={FRAMES} ! fbdevzerosink name=sink sync=false "
                           f"offer-pages=never device=virtual:{WIDTH}x{HEIGHT},rate=0")
    assert stats["sink"]["copied"] == FRAMES, stats
    assert bytes_ >= 2 * FRAMES * size, bytes_  # videotestsrc's own rows, and the copy


def test_flipping_copies_nothing():
    # videotestsrc draws a row and copies it into each row of the frame
    caps = f"video/x-raw,format=BGRx,width={WIDTH},height={HEIGHT}"
    drawing, _ = copied(f"videotestsrc pattern=black num-buffers={FRAMES} ! {caps} ! fakesink")
    bytes_, stats = copied(f"videotestsrc pattern=black num-buffers={FRAMES} ! {caps} ! fbdevzerosink name=sink "
                           f"sync=false device=virtual:{WIDTH}x{HEIGHT},rate=0")
    assert stats["sink"]["flipped"] == FRAMES, stats
    assert_under(bytes_ - drawing, 0.01, WIDTH * HEIGHT * 4)


def test_h264_to_the_screen():
    media = clip(f"h264-{WIDTH}x{HEIGHT}", FRAMES, ".mp4")
    bytes_, stats = copied(f"filesrc location={media} ! qtdemux ! h264parse ! avzerodec name=dec ! fbdevzerosink "
                           f"name=sink sync=false device=virtual:{WIDTH}x{HEIGHT},rate=0")
    assert stats["dec"]["wrapped"] == FRAMES and stats["sink"]["converted"] == FRAMES, stats
    print(f"h264: {bytes_ / (FRAMES * WIDTH * HEIGHT * 1.5):.1%} of the frames' bytes in memcpy and memmove")
    assert_under(bytes_, 0.15, WIDTH * HEIGHT * 3 / 2)


def test_ffv1_into_pages():
    media = clip(f"ffv1-bgr0-{WIDTH}x{HEIGHT}", FRAMES, ".mkv")
    bytes_, stats = copied(f"filesrc location={media} ! matroskademux ! avzerodec name=dec ! fbdevzerosink name=sink "
                           f"sync=false device=virtual:{WIDTH}x{HEIGHT},rate=0")
    assert stats["dec"]["direct"] == FRAMES and stats["sink"]["flipped"] == FRAMES, stats
    # the packets themselves are copied out of the file by the demuxer's adapter
    packets = os.stat(media).st_size
    print(f"ffv1: {bytes_ / (FRAMES * WIDTH * HEIGHT * 4):.1%} of the frames' bytes, the file is {packets} bytes")
    assert_under(bytes_ - 2 * packets, 0.15, WIDTH * HEIGHT * 4)


if __name__ == "__main__":
    if Gst.ElementFactory.find("avzerodec") is None:
        sys.exit(77)
    main(sys.modules[__name__])
