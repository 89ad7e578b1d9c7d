# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who gets the stream where decodebin and playbin choose: stock decoders, unless the environment asks for avzerodec."""
import sys

from harness import Gst, Play, clip, launch, main

FRAMES = 12
SINK = "fbdevzerosink name=sink sync=false qos=false device=virtual:160x120,rate=0"
ASKED = {"GST_PLUGIN_FEATURE_RANK": "avzerodec:MAX"}


def frames(stats, name):
    return sum(stats[name][way] for way in ("direct", "wrapped", "copied"))


def ours(stats):
    """The names of the decoders of ours that had a part in it."""
    return [name for name in stats if name.startswith("avzerodec")]


def test_the_rank_is_below_that_of_stock_decoders():
    rank = Gst.ElementFactory.find("avzerodec").get_rank()
    assert rank == Gst.Rank.MARGINAL, rank
    for name in ("avdec_h264", "avdec_mpeg4", "vp8dec", "jpegdec"):
        assert Gst.ElementFactory.find(name).get_rank() > rank, name


def test_decodebin_takes_it_only_when_asked():
    for name, extension in (("h264", ".mp4"), ("hevc", ".mp4"), ("vp8", ".webm"), ("mpeg2", ".mpg"), ("mjpeg", ".mkv"),
                            ("ffv1-bgr0", ".mkv")):
        line = f"filesrc location={clip(f'{name}-160x120', FRAMES, extension)} ! decodebin ! {SINK}"
        code, said, stats = launch(line)
        assert code == 0 and not ours(stats), f"{name}: {said}"
        code, said, stats = launch(line, env=ASKED)
        assert code == 0 and len(ours(stats)) == 1 and frames(stats, ours(stats)[0]) == FRAMES, f"{name}: {said}"
        assert stats[ours(stats)[0]]["copied"] == 0, f"{name}: {stats}"


def test_playbin_takes_it_when_its_rank_is_raised():
    factory = Gst.ElementFactory.find("avzerodec")
    rank = factory.get_rank()
    factory.set_rank(Gst.Rank.PRIMARY + 100)
    try:
        for element in ("playbin", "playbin3"):
            p = Play(f"{element} name=play uri=file://{clip('h264-160x120', FRAMES, '.mp4')}")
            sink = Gst.parse_launch(SINK)
            p.pipeline.set_property("video-sink", sink)
            p.to_end()
            found = p.pipeline.iterate_all_by_element_factory_name("avzerodec")
            result, decoder = found.next()
            assert result == Gst.IteratorResult.OK and not p.errors, f"{element}: {p.errors}"
            stats = sink.get_property("frame-stats")
            assert stats.get_uint64("converted")[1] == FRAMES, f"{element}: {stats.to_string()}"
            del decoder, found, sink
            p.stop()
    finally:
        factory.set_rank(rank)


if __name__ == "__main__":
    if Gst.ElementFactory.find("avzerodec") is None:
        sys.exit(77)
    main(sys.modules[__name__])
