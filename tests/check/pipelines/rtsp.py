# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real RTSP server on loopback and a client that shows the stream: whole, and with lost packets. What must be exact goes
over TCP, where nothing is lost but what the test drops, and without QoS: a busy machine is late, and late pictures are
left out. Over UDP the machine loses packets of its own when it is busy. The client ends with the last pictures: the end of
the stream may overtake them in the server, and over UDP nobody sends it again, so the server never ends."""
import os
import subprocess
import sys

import gi

gi.require_version("Gst", "1.0")
try:
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GstRtspServer
except (ValueError, ImportError):
    sys.exit(77)
from gi.repository import GLib  # noqa: E402

from harness import Gst, main  # noqa: E402

FRAMES = 90
GROUP = 10
KEPT = 3 * GROUP  # so many at the end lose nothing


def clip():
    path = os.path.join(os.environ["BA_CLIP_DIR"], "rtsp.mp4")
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        part = path + ".part"
        subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i",
                        "testsrc2=size=320x240:rate=30", "-frames:v", str(FRAMES), "-c:v", "libx264", "-preset",
                        "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", str(GROUP), "-f", "mp4", part],
                       check=True)
        os.replace(part, path)
    return path


def sums_of(pad, last=(), ended=None):
    """A list that grows with the checksum of each picture that goes through `pad`; calls `ended` when one of `last` has."""
    sums = []

    def note(_, info):
        buffer = info.get_buffer()
        meta_free = buffer.extract_dup(0, buffer.get_size())
        sums.append(GLib.compute_checksum_for_data(GLib.ChecksumType.MD5, meta_free))
        if sums[-1] in last:
            ended()
        return Gst.PadProbeReturn.OK

    pad.add_probe(Gst.PadProbeType.BUFFER, note)
    return sums


class Server:
    """Sends the clip once to whoever asks. Of the packets before the last KEPT frames some are lost."""

    def __init__(self, loss):
        self.sent = 0
        self.server = GstRtspServer.RTSPServer.new()
        self.server.set_service("0")
        factory = GstRtspServer.RTSPMediaFactory.new()
        factory.set_launch(f"( filesrc location={clip()} ! qtdemux ! h264parse name=parse ! "
                           f"rtph264pay mtu=400 config-interval=-1 pt=96 ! identity name=pay0 drop-probability={loss} )")
        factory.connect("media-configure", self.configure)
        self.server.get_mount_points().add_factory("/clip", factory)
        self.source = self.server.attach(None)
        self.url = f"rtsp://127.0.0.1:{self.server.get_bound_port()}/clip"

    def configure(self, _, media):
        self.media = media.get_element()
        self.dropper = self.media.get_by_name("pay0")
        sent = self.media.get_by_name("parse").get_static_pad("src")
        sent.add_probe(Gst.PadProbeType.BUFFER, self.count)
        sent.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, lambda _, info: Gst.PadProbeReturn.DROP
                       if info.get_event().type == Gst.EventType.EOS else Gst.PadProbeReturn.OK)

    def count(self, *_):
        self.sent += 1
        if self.sent == FRAMES - KEPT:
            self.dropper.set_property("drop-probability", 0.0)
        return Gst.PadProbeReturn.OK

    def close(self):
        GLib.source_remove(self.source)


def whole():
    """The checksums of the clip, straight from the file."""
    pipeline = Gst.parse_launch(f"filesrc location={clip()} ! qtdemux ! h264parse ! avzerodec name=dec ! "
                                "fbdevzerosink sync=false device=virtual:320x240,rate=0")
    sums = sums_of(pipeline.get_by_name("dec").get_static_pad("src"))
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    assert message.type == Gst.MessageType.EOS
    assert len(sums) == FRAMES and len(set(sums)) == FRAMES, f"{len(set(sums))} pictures"
    return sums


def play(loss, protocol, ends_with=1, qos="false"):
    """(checksums of the pictures, the sink's stats, the decoder's) of a session, until one of the last `ends_with`."""
    wanted = whole()
    GLib.random_set_seed(7)
    server = Server(loss)
    loop = GLib.MainLoop()
    # The decoder's rows are as wide as its buffers: a copy without VideoMeta would have to be made for the checksum.
    pipeline = Gst.parse_launch(f"rtspsrc location={server.url} protocols={protocol} latency=1500 ! rtph264depay ! h264parse ! "
                                f"avzerodec name=dec qos={qos} ! fbdevzerosink name=sink device=virtual:320x240,rate=0")
    sums = sums_of(pipeline.get_by_name("sink").get_static_pad("sink"), wanted[-ends_with:],
                   lambda: GLib.idle_add(loop.quit))
    errors = []

    def note(_, message):
        if message.type == Gst.MessageType.ERROR:
            errors.append(str(message.parse_error()))
        if message.type in (Gst.MessageType.ERROR, Gst.MessageType.EOS):
            loop.quit()
        return True

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", note)
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    stats = [{s.nth_field_name(i): s.get_value(s.nth_field_name(i)) for i in range(s.n_fields())}
             for s in (pipeline.get_by_name(name).get_property("frame-stats") for name in ("sink", "dec"))]
    pipeline.set_state(Gst.State.NULL)
    bus.remove_signal_watch()
    server.close()
    assert not errors, errors
    return wanted, sums, *stats


def shown(stats):
    return stats["flipped"] + stats["converted"] + stats["copied"]


def test_a_session_without_loss():
    wanted, sums, sink, dec = play(0.0, "tcp")
    assert sums == wanted, f"{len(sums)} pictures"
    assert dec["corrupt"] == 0 and dec["wrapped"] >= FRAMES - 1, dec  # the last one is on its way to the sink
    assert shown(sink) + sink["dropped"] >= FRAMES - 5, sink


def test_a_session_with_lost_packets():
    wanted, sums, sink, dec = play(0.02, "tcp")
    right = [s for s in sums if s in set(wanted)]
    assert len(right) < FRAMES, "nothing was lost"
    assert sums[-KEPT + GROUP:] == wanted[-KEPT + GROUP:], "not right again behind the next key frame"
    assert right == sorted(right, key=wanted.index), "not in their order"
    assert len(right) >= KEPT and shown(sink) > 0, (len(right), sink)


def test_a_session_with_lost_packets_over_udp():
    wanted, sums, sink, dec = play(0.02, "udp", ends_with=GROUP, qos="true")
    right = [s for s in sums if s in set(wanted)]
    assert right == sorted(right, key=wanted.index), "not in their order"
    assert 0 < len(right) < FRAMES and dec["wrapped"] + dec["copied"] >= len(right) - 1, (len(right), dec)
    assert shown(sink) > 0, sink


if __name__ == "__main__":
    if Gst.ElementFactory.find("avzerodec") is None or Gst.ElementFactory.find("rtspsrc") is None:
        sys.exit(77)
    main(sys.modules[__name__])
