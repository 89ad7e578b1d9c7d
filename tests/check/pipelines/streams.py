# SPDX-License-Identifier: LGPL-2.1-or-later
"""The streams that bitexact.py decodes, one for each kind of picture and group of pictures that an encoder of Debian's
ffmpeg can make. docs/codecs.md names the codecs that have one here."""
import os
import subprocess
from typing import NamedTuple

DEMUXERS = {".mp4": "qtdemux", ".mov": "qtdemux", ".3gp": "qtdemux", ".mkv": "matroskademux", ".webm": "matroskademux",
            ".avi": "avidemux", ".asf": "asfdemux", ".rm": "rmdemux", ".flv": "flvdemux", ".ogv": "oggdemux",
            ".mpg": "mpegpsdemux", ".mxf": "mxfdemux", ".ivf": "ivfparse", ".dv": "dvdemux",
            ".bmp": "typefind", ".tiff": "typefind", ".webp": "typefind", ".gif": "typefind"}
SEEKABLE = (".mp4", ".mov", ".mkv", ".webm", ".avi")
STILL = (".bmp", ".tiff", ".webp", ".gif")


class Stream(NamedTuple):
    codec: str  # libavcodec's name for it
    kind: str  # what is special; a part of the file's name
    extension: str
    encoder: str  # ffmpeg's options
    pixels: str = "yuv420p"
    size: str = "66x50"
    parser: str = ""
    frames: int = 12
    shown: str = ""  # the pixel format that comes out, where it is not the stream's
    filters: str = ""
    seek: bool = True

    @property
    def name(self):
        return f"{self.codec}-{self.kind}{self.extension}"

    @property
    def source(self):
        """Demuxer and parser, as gst-launch-1.0 writes them."""
        chain = DEMUXERS.get(self.extension, "")
        return " ! ".join(part for part in (chain, self.parser) if part)

    @property
    def seekable(self):
        return self.seek and self.extension in SEEKABLE

    def make(self, directory):
        """The path of the stream, encoded when it is not there."""
        path = os.path.join(directory, self.name)
        if os.path.exists(path):
            return path
        part = os.path.join(directory, f"part-{self.name}")
        filters = f",{self.filters}" if self.filters else ""
        frames = 1 if self.extension in STILL else self.frames
        form = {".tiff": ["-f", "image2"], ".bmp": ["-f", "image2"]}.get(self.extension, [])
        run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i",
             f"testsrc2=size={self.size}:rate=25,format={self.pixels}{filters}", "-frames:v", str(frames), "-threads",
             "1", *self.encoder.split(), *form, part])
        os.replace(part, path)
        return path

    def reference(self, directory):
        """MD5 of each picture's visible rows, as ffmpeg decodes them."""
        path = os.path.join(directory, self.name + ".md5")
        if not os.path.exists(path):
            pixels = ["-pix_fmt", self.shown] if self.shown else []
            text = run(["ffmpeg", "-nostdin", "-loglevel", "error", "-flags", "unaligned", "-i",
                        os.path.join(directory, self.name), "-map", "0:v:0", "-vsync", "passthrough", *pixels, "-f",
                        "framemd5", "-"])
            with open(path + ".part", "w", encoding="ascii") as f:
                f.write(text)
            os.replace(path + ".part", path)
        with open(path, encoding="ascii") as f:
            return [line.rsplit(",", 1)[1].strip() for line in f if not line.startswith("#")]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def many(codec, extension, encoder, pixels, **more):
    """One stream for each pixel format."""
    return [Stream(codec, p, extension, encoder, p, **more) for p in pixels.split()]


# qtdemux 1.22 takes no colours from the file: bitexact.py puts them into the caps.
PALETTE = Stream("smc", "mov", ".mov", "-c:v smc", "pal8", "64x48", frames=6, shown="bgra")

X264 = "-c:v libx264 -preset veryfast"
X265 = "-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params log-level=error:pools=1:frame-threads=1"
VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M"
AV1 = "-c:v libaom-av1 -usage realtime -cpu-used 8 -b:v 1M"
FIELDS = "-flags +ildct+ilme"

STREAMS = [
    *many("h264", ".mp4", X264 + " -bf 3 -g 6", "yuv420p yuv422p yuv444p yuv420p10le yuv422p10le yuv444p10le gray",
          parser="h264parse"),
    Stream("h264", "odd", ".mp4", X264 + " -bf 2 -g 6", "yuv444p", "67x49", "h264parse"),
    Stream("h264", "rgb", ".mkv", "-c:v libx264rgb -preset veryfast -g 6", "gbrp", parser="h264parse"),
    Stream("h264", "intra", ".mkv", X264 + " -g 1", parser="h264parse"),
    Stream("h264", "no-b", ".mp4", X264 + " -bf 0 -g 100", parser="h264parse"),
    Stream("h264", "pyramid", ".mp4", X264 + " -bf 5 -b_strategy 0 -b-pyramid normal -refs 4 -g 12", frames=24,
           parser="h264parse"),
    Stream("h264", "cavlc-slices", ".mp4", X264 + " -coder 0 -x264-params slices=4 -g 6", parser="h264parse"),
    Stream("h264", "lossless", ".mp4", X264 + " -qp 0 -g 6", parser="h264parse"),
    Stream("h264", "tff", ".mp4", X264 + " -bf 2 -g 6 -x264-params tff=1", size="66x52", parser="h264parse",
           filters="setfield=tff"),
    Stream("h264", "bff", ".mkv", X264 + " -bf 2 -g 6 -x264-params bff=1", size="66x52", parser="h264parse",
           filters="setfield=bff"),
    Stream("h264", "bytes", ".h264", X264 + " -bf 2 -g 6", parser="h264parse"),
    Stream("h264", "open", ".mp4", X264 + " -bf 3 -g 6 -x264-params open-gop=1", parser="h264parse", seek=False),
    *many("hevc", ".mp4", X265 + " -g 6", "yuv420p yuv422p yuv444p yuv420p10le yuv422p10le yuv444p10le yuv420p12le "
          "yuv422p12le yuv444p12le gray gbrp gbrp10le", parser="h265parse"),
    Stream("hevc", "pyramid", ".mkv", "-c:v libx265 -preset fast -x265-params log-level=error:bframes=4:keyint=12",
           frames=24, size="130x98", parser="h265parse"),
    *many("vp8", ".webm", "-c:v libvpx -deadline realtime -cpu-used 8 -g 6", "yuv420p"),
    Stream("vp8", "odd", ".webm", "-c:v libvpx -deadline good -auto-alt-ref 1 -lag-in-frames 8 -g 6", size="67x49"),
    *many("vp9", ".webm", VP9 + " -g 6", "yuv420p yuv422p yuv444p yuv420p10le yuv422p10le yuv444p10le yuv420p12le "
          "yuv422p12le yuv444p12le gbrp gbrp10le gbrp12le", parser="vp9parse"),
    Stream("vp9", "odd", ".webm", "-c:v libvpx-vp9 -deadline good -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 8 -g 6",
           size="67x49", parser="vp9parse"),
    *many("av1", ".mkv", AV1 + " -g 6", "yuv420p yuv444p yuv420p10le gray", parser="av1parse"),
    Stream("av1", "odd", ".mp4", AV1 + " -g 6", size="67x49", parser="av1parse"),
    Stream("mpeg1video", "b", ".mpg", "-c:v mpeg1video -bf 2 -g 6", parser="mpegvideoparse"),
    Stream("mpeg1video", "p", ".avi", "-c:v mpeg1video -g 6"),
    *many("mpeg2video", ".mkv", "-c:v mpeg2video -bf 2 -g 6 -q:v 3", "yuv420p yuv422p", parser="mpegvideoparse"),
    Stream("mpeg2video", "odd", ".mpg", "-c:v mpeg2video -g 6", size="67x49", parser="mpegvideoparse"),
    Stream("mpeg2video", "tff", ".mpg", f"-c:v mpeg2video -bf 2 -g 6 {FIELDS} -top 1", size="64x64",
           parser="mpegvideoparse", filters="setfield=tff"),
    Stream("mpeg2video", "bff", ".mpg", f"-c:v mpeg2video -g 6 {FIELDS} -top 0 -alternate_scan 1", size="64x64",
           parser="mpegvideoparse", filters="setfield=bff"),
    Stream("mpeg4", "b", ".mp4", "-c:v mpeg4 -bf 2 -g 6", parser="mpeg4videoparse"),
    Stream("mpeg4", "qpel-4mv", ".mp4", "-c:v mpeg4 -g 6 -flags +qpel+mv4+aic", parser="mpeg4videoparse"),
    Stream("mpeg4", "fields", ".mp4", f"-c:v mpeg4 -g 6 {FIELDS}", parser="mpeg4videoparse", filters="setfield=tff"),
    Stream("mpeg4", "odd", ".avi", "-c:v mpeg4 -g 6", size="67x49"),
    Stream("mpeg4", "divx", ".avi", "-c:v mpeg4 -g 6 -vtag DX50"),
    Stream("mpeg4", "xvid", ".avi", "-c:v libxvid -g 6"),
    Stream("h261", "cif", ".avi", "-c:v h261 -g 6", size="176x144", seek=False),
    Stream("h263", "qcif", ".3gp", "-c:v h263 -g 6", size="176x144"),
    Stream("h263", "avi", ".avi", "-c:v h263 -g 6", size="352x288", frames=6),
    Stream("h263p", "plus", ".mkv", "-c:v h263p -g 6", size="180x148"),
    *many("mjpeg", ".mkv", "-c:v mjpeg -q:v 3", "yuvj420p yuvj422p yuvj444p"),
    Stream("mjpeg", "odd", ".avi", "-c:v mjpeg", "yuvj420p", "67x49"),
    Stream("mjpeg", "parsed", ".mov", "-c:v mjpeg", "yuvj420p", parser="jpegparse"),
    *many("jpeg2000", ".mov", "-c:v jpeg2000", "yuv420p yuv422p yuv444p"),
    *many("jpeg2000", ".mkv", "-c:v libopenjpeg", "rgb24 rgba yuv420p10le yuv444p12le gray", frames=4),
    Stream("jpegls", "rgb", ".mkv", "-c:v jpegls", "rgb24", frames=4),
    Stream("dvvideo", "pal", ".avi", "-c:v dvvideo", size="720x576", frames=4),
    Stream("dvvideo", "ntsc", ".mov", "-c:v dvvideo", "yuv411p", "720x480", frames=4, filters="fps=30000/1001"),
    Stream("dvvideo", "50", ".avi", "-c:v dvvideo", "yuv422p", "720x576", frames=3),
    *many("theora", ".ogv", "-c:v libtheora -g 6", "yuv420p yuv422p yuv444p"),
    Stream("theora", "odd", ".mkv", "-c:v libtheora -g 6", size="67x49"),
    Stream("dirac", "vc2", ".mkv", "-c:v vc2 -b:v 20M", "yuv422p10le", "64x48"),
    Stream("msmpeg4v2", "avi", ".avi", "-c:v msmpeg4v2 -g 6"),
    Stream("msmpeg4v3", "avi", ".avi", "-c:v msmpeg4 -g 6"),
    Stream("msmpeg4v3", "asf", ".asf", "-c:v msmpeg4 -g 6"),
    Stream("wmv1", "asf", ".asf", "-c:v wmv1 -g 6"),
    Stream("wmv1", "avi", ".avi", "-c:v wmv1 -g 6"),
    Stream("wmv2", "asf", ".asf", "-c:v wmv2 -g 6"),
    Stream("rv10", "rm", ".rm", "-c:v rv10 -g 6", size="176x144"),
    Stream("rv20", "rm", ".rm", "-c:v rv20 -g 6", size="176x144"),
    Stream("flv1", "flv", ".flv", "-c:v flv -g 6"),
    Stream("flashsv", "flv", ".flv", "-c:v flashsv -g 6", "bgr24"),
    *many("ffv1", ".mkv", "-c:v ffv1 -level 3 -slices 4 -slicecrc 1 -g 3",
          "yuv420p yuv422p yuv444p yuv411p yuv410p yuva420p gray gray16le yuv420p10le yuv422p10le yuv444p10le "
          "yuv420p12le yuv422p12le yuv444p12le yuv444p16le yuva420p10le yuva422p10le yuva444p10le gbrp10le gbrp12le "
          "gbrap10le gbrap12le bgra", frames=4),
    Stream("ffv1", "bgr0", ".mkv", "-c:v ffv1 -level 3 -slices 4 -g 3", "bgr0", "64x48", frames=6),
    Stream("ffv1", "odd", ".mkv", "-c:v ffv1 -level 3 -slices 4", "yuv420p", "67x49", frames=4),
    Stream("ffv1", "old", ".avi", "-c:v ffv1 -level 1 -g 3", "yuv420p", frames=6),
    *many("huffyuv", ".avi", "-c:v huffyuv", "yuv422p rgb24 bgra", frames=4),
    *many("magicyuv", ".mov", "-c:v magicyuv", "yuv420p yuv422p yuv444p gbrp gbrap gray", frames=4),
    Stream("prores", "hq", ".mov", "-c:v prores_ks -profile:v 3", "yuv422p10le", frames=4),
    # matroskademux 1.22 gives ProRes without times: after a seek they are wrong, for every decoder.
    Stream("prores", "proxy", ".mkv", "-c:v prores_ks -profile:v 0", "yuv422p10le", frames=4, seek=False),
    Stream("prores", "4444", ".mov", "-c:v prores_ks -profile:v 4", "yuv444p10le", frames=4),
    Stream("prores", "4444-mkv", ".mkv", "-c:v prores_ks -profile:v 4", "yuv444p10le", frames=4,
           seek=False),
    Stream("prores", "fields", ".mov", f"-c:v prores_ks -profile:v 2 {FIELDS}", "yuv422p10le", frames=4,
           filters="setfield=tff"),
    Stream("dnxhd", "720p", ".mov", "-c:v dnxhd -b:v 60M", "yuv422p", "1280x720", frames=2),
    Stream("dnxhd", "hr", ".mxf", "-c:v dnxhd -profile:v dnxhr_hq", "yuv422p", "256x144", frames=4),
    Stream("dnxhd", "hr-mov", ".mov", "-c:v dnxhd -profile:v dnxhr_hqx", "yuv422p10le", "256x144", frames=4),
    Stream("dnxhd", "hr444", ".mov", "-c:v dnxhd -profile:v dnxhr_444", "yuv444p10le", "256x144", frames=4),
    Stream("cfhd", "422", ".mov", "-c:v cfhd", "yuv422p10le", "64x48", frames=4),
    Stream("cfhd", "rgb", ".mkv", "-c:v cfhd", "gbrp12le", "64x48", frames=4),
    Stream("cfhd", "rgba", ".mov", "-c:v cfhd", "gbrap12le", "64x48", frames=4),
    Stream("hap", "rgba", ".mov", "-c:v hap", "rgba", "64x48", frames=4),
    *many("zmbv", ".avi", "-c:v zmbv -g 6", "bgr0 rgb565le rgb555le", size="64x48"),
    Stream("zmbv", "palette", ".avi", "-c:v zmbv -g 6", "pal8", shown="bgra"),
    *many("cinepak", ".avi", "-c:v cinepak -g 3", "rgb24", size="64x48", frames=4),
    Stream("cinepak", "mov", ".mov", "-c:v cinepak", "rgb24", "64x48", frames=4),
    *many("qtrle", ".mov", "-c:v qtrle -g 6", "rgb24 argb rgb555be"),
    Stream("svq1", "mov", ".mov", "-c:v svq1 -g 6", "yuv410p", "64x48"),
    Stream("msvideo1", "avi", ".avi", "-c:v msvideo1 -g 6", "rgb555le", "64x48"),
    Stream("rpza", "mov", ".mov", "-c:v rpza", "rgb555be", "64x48", frames=6),
    *many("asv1", ".avi", "-c:v asv1", "yuv420p", size="64x48"),
    *many("asv2", ".avi", "-c:v asv2", "yuv420p", size="64x48"),
    Stream("cljr", "avi", ".avi", "-c:v cljr", "yuv411p", "64x48"),
    Stream("zlib", "avi", ".avi", "-c:v zlib", "bgr24", "64x48"),
    *many("png", ".mkv", "-c:v png", "rgb24 rgba gray gray16be rgba64be", frames=4),
    Stream("png", "palette", ".mkv", "-c:v png", "pal8", frames=4, shown="bgra"),
    Stream("png", "interlaced", ".mov", "-c:v png -flags +ildct", "rgb24", frames=4, parser="pngparse"),
    Stream("gif", "mov", ".mov", "-c:v gif", "pal8", frames=4),
    Stream("gif", "file", ".gif", "-c:v gif", "pal8"),
    Stream("bmp", "file", ".bmp", "-c:v bmp", "bgr24"),
    Stream("bmp", "palette", ".bmp", "-c:v bmp", "rgb8", shown="bgra"),
    Stream("tiff", "file", ".tiff", "-c:v tiff", "rgb24"),
    Stream("tiff", "mov", ".mov", "-c:v tiff", "rgba", frames=4),
    Stream("webp", "file", ".webp", "-c:v libwebp"),
    Stream("webp", "lossless", ".webp", "-c:v libwebp -lossless 1", "bgra"),
    Stream("targa", "mov", ".mov", "-c:v targa", "bgr24", frames=4),
]

# avidemux knows these only as a number, and keeps size and extra data to itself: bitexact.py says what they are.
BARE = [
    *many("ffvhuff", ".avi", "-c:v ffvhuff", "yuv420p yuv422p yuv444p yuv420p10le yuva420p gbrp gbrp10le gray gray16le",
          frames=4),
    *many("utvideo", ".avi", "-c:v utvideo", "yuv420p yuv422p yuv444p gbrp gbrap", frames=4),
    Stream("snow", "avi", ".avi", "-c:v snow -g 6", size="64x48"),
]
