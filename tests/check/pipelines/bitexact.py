# SPDX-License-Identifier: LGPL-2.1-or-later
"""avzerodec's pictures are those of ffmpeg, bit by bit: every stream of streams.py through its real demuxer and parser,
wrapped and direct, with one thread and with four, from the start and after seeks."""
import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import gi

from harness import Gst, Play, main
from streams import BARE, PALETTE, STREAMS

gi.require_version("GstVideo", "1.0")
from gi.repository import GstVideo  # noqa: E402

DIRECTORY = os.path.join(os.environ["BA_CLIP_DIR"], "bitexact")


def planes(info):
    """(bytes of a row, rows) of each plane."""
    out = {}
    for c in range(info.finfo.n_components):
        width = -((-info.width) >> info.finfo.w_sub[c])
        height = -((-info.height) >> info.finfo.h_sub[c])
        out.setdefault(info.finfo.plane[c], (width * info.finfo.pixel_stride[c], height))
    return [out[p] for p in sorted(out)]


def sum_picture(buffer, info):
    """MD5 of the rows without what is behind them, plane after plane."""
    meta = GstVideo.buffer_get_video_meta(buffer)
    offsets, strides = (meta.offset, meta.stride) if meta else (info.offset, info.stride)
    crop = buffer.get_meta(GstVideo.VideoCropMeta.get_info().api)
    assert crop is None, "these streams need no crop meta"
    ok, mapped = buffer.map(Gst.MapFlags.READ)
    assert ok
    md5 = hashlib.md5()
    for (row_bytes, rows), offset, stride in zip(planes(info), offsets, strides):
        for y in range(rows):
            md5.update(mapped.data[offset + y * stride:offset + y * stride + row_bytes])
    buffer.unmap(mapped)
    return md5.hexdigest()


def watch(element, pictures):
    """Notes what an element gives out. Returns what will have its last GstVideoInfo."""
    pad = element.get_static_pad("src")
    info = []

    def see(_pad, probe):
        if probe.type & Gst.PadProbeType.BUFFER:
            pictures.append((probe.get_buffer().pts, sum_picture(probe.get_buffer(), info[0])))
        elif probe.get_event().type == Gst.EventType.CAPS:
            info[:] = [GstVideo.VideoInfo.new_from_caps(probe.get_event().parse_caps())]
        elif probe.get_event().type == Gst.EventType.FLUSH_STOP:
            pictures.clear()
        return Gst.PadProbeReturn.OK

    pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_DOWNSTREAM | Gst.PadProbeType.EVENT_FLUSH, see)
    return info


class Decode(Play):
    """A pipeline with avzerodec, named dec; each picture's time and sum are kept."""

    def __init__(self, source, properties, sink):
        super().__init__(f"{source} ! avzerodec name=dec {properties} ! {sink}")
        self.pictures = []
        self.info = watch(self.pipeline.get_by_name("dec"), self.pictures)

    def finish(self):
        stats = self.stats("dec")
        self.stop()
        assert not self.errors, self.errors
        return stats


def source(stream):
    return f"filesrc location={os.path.join(DIRECTORY, stream.name)} ! {stream.source}"


def decode(stream, properties, sink="fakevideosink sync=false"):
    p = Decode(source(stream), properties, sink).to_end()
    return p.pictures, {**p.finish(), "format": p.info[0].finfo.name if p.info else ""}


def after_seek(stream, properties, target, flags):
    """The pictures that come after a flushing seek, made when the first one has come out."""
    p = Decode(source(stream), properties, "fakevideosink sync=false")
    p.pipeline.set_state(Gst.State.PAUSED)
    p.wait(Gst.MessageType.ASYNC_DONE | Gst.MessageType.ERROR)
    assert not p.errors and p.pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH | flags, target), p.errors
    p.to_end()
    p.finish()
    return p.pictures


def each(check, wanted=lambda stream: True):
    """Runs a check on the streams that are wanted; all that fail are named."""
    wrong, n_streams, n_pictures = [], 0, 0
    for stream in STREAMS:
        if not wanted(stream):
            continue
        try:
            n_pictures += check(stream)
            n_streams += 1
        except AssertionError as e:
            wrong.append(f"{stream.name}: {e}")
    print(f"{n_streams} streams, {n_pictures} pictures")
    assert not wrong, "\n".join(wrong)


def compare(stream, pictures):
    reference = stream.reference(DIRECTORY)
    sums = [md5 for _, md5 in pictures]
    assert len(sums) == len(reference), f"{len(sums)} pictures, ffmpeg has {len(reference)}"
    assert sums == reference, f"differ: {[i for i, (a, b) in enumerate(zip(sums, reference)) if a != b]}"
    return len(sums)


def is_looked_up(stream):
    return bool(stream.shown)


def check_wrapped(stream, properties):
    pictures, stats = decode(stream, properties)
    n = compare(stream, pictures)
    if is_looked_up(stream):
        assert stats["copied"] == n and "palette" in stats["reason"] and stats["format"] == "BGRA", stats
    else:
        assert stats["wrapped"] == n and stats["copied"] == 0, stats
    return n


def test_wrapped_with_one_thread():
    each(lambda stream: check_wrapped(stream, "max-threads=1"))


def test_wrapped_with_four_threads():
    each(lambda stream: check_wrapped(stream, "max-threads=4"))


def test_copied_where_downstream_knows_no_strides():
    def check(stream):
        pictures, stats = decode(stream, "", "fakesink sync=false")
        assert stats["direct"] == 0, stats
        return compare(stream, pictures)
    each(check, lambda stream: stream.codec in ("h264", "ffv1", "mjpeg", "zmbv"))


def test_direct_with_one_thread_and_with_four():
    screen = "fbdevzerosink name=sink sync=false device=virtual:{},rate=0,pages=8"

    def check(stream):
        n = 0
        for threads in (1, 4):
            pictures, stats = decode(stream, f"direct-rendering=always max-threads={threads}",
                                     screen.format(stream.size))
            n += compare(stream, pictures)
            assert stats["direct"] == len(pictures), stats
        return n
    each(check, lambda stream: stream.name in ("ffv1-bgr0.mkv", "zmbv-bgr0.avi"))


def check_seeks(stream, properties):
    whole, _ = decode(stream, properties)
    n = 0
    middle = len(whole) // 2
    for wanted, flags in ((0, Gst.SeekFlags.KEY_UNIT), (middle, Gst.SeekFlags.KEY_UNIT),
                          (middle, Gst.SeekFlags.ACCURATE)):
        # The first picture is the stream's time 0, whatever an edit list says.
        found = after_seek(stream, properties, whole[wanted][0] - whole[0][0], flags)
        assert found, f"nothing after a seek to picture {wanted}"
        begin = [pts for pts, _ in whole].index(found[0][0])
        assert begin <= wanted if flags == Gst.SeekFlags.KEY_UNIT else begin == wanted, f"{begin}, not {wanted}"
        assert found == whole[begin:], f"after a seek to {wanted} ({flags}): {found}, not {whole[begin:]}"
        n += len(found)
    return n


def test_after_seeks():
    each(lambda stream: check_seeks(stream, "max-threads=4"), lambda stream: stream.seekable)


def test_codecs_whose_extra_data_no_demuxer_gives():
    """AVI has it behind the 40 bytes of its format."""
    for stream in BARE:
        with open(stream.make(DIRECTORY), "rb") as f:
            data = f.read()
        at = data.index(b"strf") + 8
        extra = data[at + 40:at + int.from_bytes(data[at - 4:at], "little")]
        width, height = stream.size.split("x")
        caps = f"video/x-gst-av-{stream.codec},width={width},height={height},framerate=25/1"
        if extra:
            caps += f",codec_data=(buffer){extra.hex()}"
        for threads in (1, 4):
            p = Decode(f'{source(stream)} ! capssetter join=false replace=true caps="{caps}"',
                       f"max-threads={threads}", "fakevideosink sync=false").to_end()
            stats = p.finish()
            assert stats["wrapped"] == len(p.pictures), f"{stream.name}: {stats}"
            try:
                compare(stream, p.pictures)
            except AssertionError as e:
                raise AssertionError(f"{stream.name}: {e}") from e


def test_palette_of_the_caps():
    """QuickTime has the colours behind the depth in its stsd: {u16 index, u16 red, u16 green, u16 blue} after a head of
    8 bytes."""
    path = PALETTE.make(DIRECTORY)
    with open(path, "rb") as f:
        data = f.read()
    table = data.index(b"stsd") + 12 + 4 + 82 + 8
    words = b"".join(bytes((data[at + 6], data[at + 4], data[at + 2], 0)) for at in range(table, table + 2048, 8))
    p = Decode(f'{source(PALETTE)} ! capssetter caps="video/x-smc,palette_data=(buffer){words.hex()}"', "",
               "fakevideosink sync=false").to_end()
    stats = p.finish()
    assert compare(PALETTE, p.pictures) == PALETTE.frames == stats["copied"], stats


if __name__ == "__main__":
    if Gst.ElementFactory.find("avzerodec") is None:
        sys.exit(77)
    os.makedirs(DIRECTORY, exist_ok=True)
    with ThreadPoolExecutor(2) as executor:
        for path in executor.map(lambda stream: stream.make(DIRECTORY) and stream.reference(DIRECTORY),
                                 [*STREAMS, *BARE, PALETTE]):
            assert path
    main(sys.modules[__name__])
