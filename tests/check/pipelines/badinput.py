# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bad input, each case in a process of its own: one clear error or correct playback, no hang, no critical."""
import os
import random
import re
import sys
import tempfile

from harness import Gst, clip, main, play_in_process

SINK = "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0"


def errors_of(said):
    return re.findall(r"^ERROR: (\S+ \S+): (.*)$", said, re.MULTILINE)


def ours(errors):
    """Those that our elements posted."""
    return [e for e in errors if "AvZeroDec" in e[0] or "FbdevZeroSink" in e[0]]


def run(pipeline, **kwargs):
    """(exit code, errors, stats); criticals and crashes fail right here."""
    code, said, stats = play_in_process(pipeline, **kwargs)
    assert code >= 0, f"killed by signal {-code}: {said}"
    assert "CRITICAL" not in said, said
    return code, errors_of(said), stats, said


def test_a_missing_file():
    code, errors, _, said = run(f"filesrc location=/nonexistent/clip.mp4 ! qtdemux ! h264parse ! avzerodec ! {SINK}")
    assert code != 0 and not ours(errors) and "/nonexistent/clip.mp4" in said, said


def test_a_missing_device():
    code, errors, _, said = run("videotestsrc ! fbdevzerosink device=/dev/fb31")
    assert code != 0 and len(errors) == 1 and "/dev/fb31" in errors[0][1] and "virtual:" in errors[0][1], said


def test_a_nonsense_device():
    code, errors, _, said = run("videotestsrc ! fbdevzerosink device=virtual:12by7")
    assert code != 0 and len(errors) == 1 and "12by7" in errors[0][1], said


def test_a_pixel_format_the_screen_cannot_have():
    code, errors, _, said = run("videotestsrc ! fbdevzerosink device=virtual:160x120,format=I420")
    assert code != 0 and len(errors) == 1 and "I420" in errors[0][1] and "BGRx" in errors[0][1], said


def test_a_pixel_format_the_sink_does_not_take():
    code, errors, _, said = run(f"videotestsrc ! video/x-raw,format=v308 ! {SINK}")
    assert code != 0, said


def test_a_truncated_mp4_plays_what_there_is():
    code, errors, stats, said = run(f"filesrc location={clip('h264-truncated-160x120', 30, '.mp4')} ! qtdemux ! "
                                    f"h264parse ! avzerodec name=dec ! {SINK}")
    assert len(errors) <= 1, said
    assert stats["sink"]["converted"] > 5 and stats["sink"]["copied"] == 0, stats


def test_an_mp4_without_an_index_is_an_error():
    code, errors, _, said = run(f"filesrc location={clip('h264-no-index-160x120', 30, '.mp4')} ! qtdemux ! "
                                f"h264parse ! avzerodec ! {SINK}")
    assert code != 0 and errors and not ours(errors), said


def test_a_damaged_mp4_goes_on():
    code, errors, stats, said = run(f"filesrc location={clip('h264-corrupt-160x120', 30, '.mp4')} ! qtdemux ! "
                                    f"h264parse ! avzerodec name=dec ! {SINK}")
    assert len(errors) <= 1, said
    assert stats["sink"]["converted"] > 5, stats


def test_a_size_that_changes():
    code, errors, stats, said = run(f"filesrc location={clip('h264-size-change-160x120', 12, '.h264')} ! h264parse ! "
                                    f"avzerodec name=dec ! {SINK}")
    assert code == 0 and not errors and stats["sink"]["converted"] == 12, said


def test_a_screen_smaller_than_the_video():
    code, errors, stats, said = run(f"filesrc location={clip('h264-160x120', 12, '.mp4')} ! qtdemux ! h264parse ! "
                                    "avzerodec ! fbdevzerosink name=sink sync=false device=virtual:64x48,rate=0")
    assert code == 0 and not errors and stats["sink"]["converted"] == 12, said


def test_a_screen_of_one_pixel():
    code, errors, stats, said = run(f"filesrc location={clip('h264-160x120', 12, '.mp4')} ! qtdemux ! h264parse ! "
                                    "avzerodec ! fbdevzerosink name=sink sync=false device=virtual:1x1,rate=0")
    assert code == 0 and not errors and stats["sink"]["converted"] == 12, said


def test_a_file_that_is_no_video():
    with tempfile.NamedTemporaryFile(prefix="bufalloc-", suffix=".h264") as f:
        f.write(random.Random(1).randbytes(200000))
        f.flush()
        code, errors, _, said = run(f"filesrc location={f.name} ! h264parse ! avzerodec ! {SINK}")
        assert code != 0 and len(errors) == 1, said


def test_a_device_in_a_place_that_is_not_there():
    code, errors, _, said = run("videotestsrc ! fbdevzerosink device=virtual:160x120,file=/nonexistent/screen")
    assert code != 0 and len(errors) == 1 and "/nonexistent/screen" in errors[0][1], said


def test_no_room_for_the_screen():
    if not os.path.exists("/dev/full"):
        return
    code, errors, _, said = run("videotestsrc ! fbdevzerosink device=virtual:160x120,file=/dev/full")
    assert code != 0 and len(errors) == 1 and "/dev/full" in errors[0][1], said


if __name__ == "__main__":
    if Gst.ElementFactory.find("avzerodec") is None:
        sys.exit(77)
    main(sys.modules[__name__])
