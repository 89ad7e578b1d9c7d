# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bad input, each case in a process of its own: one clear error or correct playback, no hang, no critical."""
import os
import random
import re
import subprocess
import sys
import tempfile

from harness import Gst, Screen, assert_same, clip, main, play_in_process

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


def make(path, *options):
    """Four frames of a format that scripts/make-clip does not know."""
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=30",
                    "-frames:v", "4", *options, path], check=True, stderr=subprocess.DEVNULL)
    return path


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
    assert code != 0 and not errors, said
    assert "could not link videotestsrc0 to sink, sink can't handle caps video/x-raw, format=(string)v308" in said, said
    code, errors, _, said = run("fakesrc num-buffers=4 sizetype=fixed sizemax=57600 ! "
                                f"rawvideoparse use-sink-caps=false format=v308 width=160 height=120 ! {SINK}")
    assert code != 0 and len(errors) == 1 and "GstRawVideoParse" in errors[0][0], said
    assert "not-negotiated" in said, said


def test_a_stream_whose_format_the_sink_does_not_take():
    for pixels, encoder, tag, parser, name in (("yuv422p10le", "libx264", "avc1", "h264parse", "I422_10LE"),
                                               ("yuv444p10le", "libx265", "hvc1", "h265parse", "Y444_10LE")):
        with tempfile.TemporaryDirectory(prefix="bufalloc-") as folder:
            path = make(f"{folder}/clip.mp4", "-pix_fmt", pixels, "-c:v", encoder, "-preset", "ultrafast", "-tag:v",
                        tag)
            media = f"filesrc location={path} ! qtdemux ! {parser} ! avzerodec name=dec"
            for middle in ("", "queue !", "identity !"):
                code, errors, stats, said = run(f"{media} ! {middle} {SINK}")
                assert code != 0 and len(ours(errors)) == 1 and errors[0] == ours(errors)[0], said
                assert name in errors[0][1] and "put videoconvert between" in errors[0][1], said
                assert stats["dec"]["wrapped"] == stats["dec"]["copied"] == stats["dec"]["direct"] == 0, stats
            code, errors, stats, said = run(f"{media} ! videoconvert ! {SINK}")
            assert code == 0 and not errors and stats["dec"]["wrapped"] == 4, said


def test_a_stream_with_a_palette_is_looked_up():
    with tempfile.TemporaryDirectory(prefix="bufalloc-") as folder:
        path = make(f"{folder}/clip.mkv", "-pix_fmt", "pal8", "-c:v", "png")
        code, errors, stats, said = run(f"filesrc location={path} ! matroskademux ! avzerodec name=dec ! {SINK}")
        assert code == 0 and not errors and stats["dec"]["copied"] == 4, said


def test_a_pixel_format_that_gstreamer_has_no_name_for():
    with tempfile.TemporaryDirectory(prefix="bufalloc-") as folder:
        path = make(f"{folder}/clip.mkv", "-pix_fmt", "ya8", "-c:v", "png")
        code, errors, stats, said = run(f"filesrc location={path} ! matroskademux ! avzerodec name=dec ! {SINK}")
        assert code != 0 and len(ours(errors)) == 1 and errors[0] == ours(errors)[0], said
        assert "ya8" in errors[0][1] and "videoconvert" in errors[0][1], said
        code, errors, stats, said = run(f"filesrc location={path} ! matroskademux ! pngdec ! videoconvert ! {SINK}")
        assert code == 0 and not errors, said


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
    media = f"filesrc location={clip('h264-size-change-160x120', 12, '.h264')} ! h264parse"
    pictures = []
    for decoder in ("avzerodec name=dec", "avdec_h264 ! video/x-raw,format=I420"):
        screen = Screen(160, 120)
        code, errors, stats, said = run(f"{media} ! {decoder} ! fbdevzerosink name=sink sync=false "
                                        f"device={screen.device}")
        assert code == 0 and not errors and stats["sink"]["converted"] == 12, said
        pictures.append(screen.picture())
        screen.remove()
    assert len(set(pictures[0])) > 16, "the screen is empty"
    assert_same(*pictures)


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
