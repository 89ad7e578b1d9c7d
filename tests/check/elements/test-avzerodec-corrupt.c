/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-corrupt.c: mutated packets of each family of codecs: no crash, no hang, no leak, no critical, and from
 * the next key frame on every picture is right again. The same packets each time; BA_CORRUPT_PACKETS says how many of
 * each family (300 unless said; 10000 take a sanitizer a few minutes, with CK_DEFAULT_TIMEOUT=900), BA_CORRUPT_SEED
 * which ones, BA_CORRUPT_FAMILY that only one family's are (the name of its file).
 */
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#include "test-avzerodec-trace.h"

typedef struct
{
  const gchar *name; /* of the file */
  const gchar *options;
  const gchar *demux;
  const gchar *size;
  gboolean sticks; /* libavcodec 5.1 keeps some damage beyond a key frame, and B-frames need what is before it */
} Family;

#define PIXELS(format) "-frames:v 24 -pix_fmt " format " "
#define YUV PIXELS ("yuv420p")
/* x264 says its version in a message that libavcodec believes, however damaged, until there is another. */
#define SILENT " -bsf:v filter_units=remove_types=6"
#define BYTES(codec)                                                                                                   \
  "matroskademux ! " codec "parse config-interval=-1 ! video/x-" codec ",stream-format=byte-stream,alignment=au"

static const Family families[] = {
  { "corrupt-h264.mkv", YUV "-c:v libx264 -preset veryfast -bf 3 -g 6" SILENT, BYTES ("h264"), "66x50", FALSE },
  { "corrupt-slices-h264.mkv", YUV "-c:v libx264 -preset veryfast -bf 0 -x264-params slices=3:keyint=6" SILENT,
    BYTES ("h264"), "66x50", FALSE },
  { "corrupt-cavlc-h264.mkv", YUV "-c:v libx264 -preset veryfast -coder 0 -g 6" SILENT, BYTES ("h264"), "66x50", FALSE },
  { "corrupt-fields-h264.mkv", YUV "-c:v libx264 -preset veryfast -bf 2 -x264-params tff=1:keyint=6" SILENT,
    BYTES ("h264"), "66x52", FALSE },
  { "corrupt-h265.mkv",
    YUV "-c:v libx265 -preset ultrafast -x265-params "
        "log-level=error:pools=1:keyint=6:open-gop=0:repeat-headers=1:bframes=3",
    BYTES ("h265"), "66x50", FALSE },
  { "corrupt-vp8.webm", YUV "-c:v libvpx -deadline realtime -cpu-used 8 -g 6", "matroskademux", "66x50", FALSE },
  { "corrupt-vp9.webm", YUV "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M -g 6", "matroskademux ! vp9parse",
    "66x50", FALSE },
  { "corrupt-av1.mkv", YUV "-c:v libaom-av1 -usage realtime -cpu-used 8 -b:v 1M -g 6", "matroskademux ! av1parse",
    "66x50", FALSE },
  { "corrupt-mpeg1.mkv", YUV "-c:v mpeg1video -bf 2 -g 6", "matroskademux ! mpegvideoparse", "66x50", FALSE },
  { "corrupt-mpeg2.mkv", YUV "-c:v mpeg2video -bf 2 -g 6", "matroskademux ! mpegvideoparse", "66x50", FALSE },
  { "corrupt-p-mpeg4.mp4", YUV "-c:v mpeg4 -g 6", "qtdemux ! mpeg4videoparse", "66x50", FALSE },
  { "corrupt-mpeg4.mp4", YUV "-c:v mpeg4 -bf 2 -g 6", "qtdemux ! mpeg4videoparse", "66x50", TRUE },
  { "corrupt-h263.3gp", YUV "-c:v h263 -g 6", "qtdemux", "128x96", FALSE },
  { "corrupt-flv.flv", YUV "-c:v flv -g 6", "flvdemux", "66x50", FALSE },
  { "corrupt-wmv2.asf", YUV "-c:v wmv2 -g 6", "asfdemux", "66x50", FALSE },
  { "corrupt-msmpeg4.avi", YUV "-c:v msmpeg4 -g 6", "avidemux", "66x50", FALSE },
  { "corrupt-mjpeg.mkv", PIXELS ("yuvj422p") "-c:v mjpeg", "matroskademux", "66x50", FALSE },
  { "corrupt-png.mkv", PIXELS ("rgb24") "-c:v png", "matroskademux", "66x50", FALSE },
  { "corrupt-ffv1.mkv", YUV "-c:v ffv1 -level 3 -slices 4 -slicecrc 1 -g 6", "matroskademux", "66x50", FALSE },
  { "corrupt-ffv1-bgr0.mkv", PIXELS ("bgr0") "-c:v ffv1 -level 3 -slices 4 -g 6", "matroskademux", "66x50", FALSE },
  { "corrupt-huffyuv.avi", PIXELS ("yuv422p") "-c:v huffyuv", "avidemux", "66x50", FALSE },
  { "corrupt-magicyuv.mov", PIXELS ("yuv444p") "-c:v magicyuv", "qtdemux", "66x50", FALSE },
  { "corrupt-prores.mov", PIXELS ("yuv422p10le") "-c:v prores_ks", "qtdemux", "66x50", FALSE },
  { "corrupt-dnxhr.mov", PIXELS ("yuv422p") "-c:v dnxhd -profile:v dnxhr_hq", "qtdemux", "256x144", FALSE },
  { "corrupt-cfhd.mov", PIXELS ("yuv422p10le") "-c:v cfhd", "qtdemux", "64x48", FALSE },
  { "corrupt-theora.ogv", YUV "-c:v libtheora -g 6", "oggdemux", "66x50", FALSE },
  { "corrupt-dv.avi", YUV "-c:v dvvideo", "avidemux", "720x576", FALSE },
  { "corrupt-jpeg2000.mov", YUV "-c:v jpeg2000", "qtdemux", "66x50", FALSE },
  { "corrupt-svq1.mov", PIXELS ("yuv410p") "-c:v svq1 -g 6", "qtdemux", "64x48", FALSE },
  { "corrupt-cinepak.avi", PIXELS ("rgb24") "-c:v cinepak -g 6", "avidemux", "64x48", FALSE },
  { "corrupt-qtrle.mov", PIXELS ("rgb24") "-c:v qtrle -g 6", "qtdemux", "66x50", FALSE },
  { "corrupt-zmbv.mkv", PIXELS ("bgr0") "-c:v zmbv -keyint_min 6", "matroskademux", "64x48", FALSE },
  { "corrupt-flashsv.flv", PIXELS ("bgr24") "-c:v flashsv -g 6", "flvdemux", "66x50", FALSE },
  { "corrupt-msvideo1.avi", PIXELS ("rgb555le") "-c:v msvideo1 -keyint_min 6", "avidemux", "64x48", FALSE },
};

static const gchar *decoders[] = {
  "avzerodec name=dec max-threads=1",
  "avzerodec name=dec max-threads=3 thread-type=frame",
  "avzerodec name=dec max-threads=3 thread-type=slice output-corrupt=false",
};

#define PASSES 20 /* through the stream, with one decoder */
#define PASS_NS (1000 * GST_SECOND) /* between the times of two passes */

/* The checksums of what came out, in its order; of the clean stream only the pictures from its last key frame on, without
 * those that wait for the packet after them, which is damaged again. */
typedef struct
{
  GMutex lock;
  GPtrArray *sums;
  GstClockTime from_ns;
} Output;

static GstPadProbeReturn
note_picture (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Output *output = user;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  gint width_px = 0, height_px = 0;
  if (output->from_ns > 0 && GST_BUFFER_PTS (buffer) < output->from_ns)
    return GST_PAD_PROBE_OK;
  GstCaps *caps = gst_pad_get_current_caps (pad);
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "width", &width_px);
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "height", &height_px);
  if (width_px <= 2 * 720 && height_px <= 2 * 576) { /* larger ones come of damage only, and take long to sum up */
    gchar *line = describe_picture (buffer, caps);
    g_mutex_lock (&output->lock);
    g_ptr_array_add (output->sums, g_strdup (strchr (line, ' ') + 1));
    g_mutex_unlock (&output->lock);
    g_free (line);
  }
  gst_caps_unref (caps);
  return GST_PAD_PROBE_OK;
}

static guint
get_number (const gchar *variable, guint otherwise)
{
  const gchar *text = g_getenv (variable);
  return text ? (guint) g_ascii_strtoull (text, NULL, 10) : otherwise;
}

static gsize
choose (GRand *random, gsize n)
{
  return n > 0 ? (gsize) g_rand_int (random) % n : 0;
}

/* Another packet of the same stream, whose bytes fit where random ones would be refused at once. */
static void
splice (guint8 *data, gsize size_bytes, const Stream *stream, GRand *random)
{
  GstBuffer *other = stream->packets->pdata[choose (random, stream->packets->len)];
  gsize at = choose (random, size_bytes);
  gst_buffer_extract (other, choose (random, gst_buffer_get_size (other)), data + at,
                      choose (random, size_bytes - at) + 1);
}

static GstBuffer *
mutate (const Stream *stream, GstBuffer *packet, GRand *random)
{
  gsize size_bytes = gst_buffer_get_size (packet), kind = choose (random, 8);
  gsize new_bytes = kind == 0   ? choose (random, size_bytes) + 1
                    : kind == 1 ? size_bytes + choose (random, 200)
                                : size_bytes;
  guint8 *data = g_malloc0 (new_bytes + 1);
  gst_buffer_extract (packet, 0, data, new_bytes);
  switch (kind) {
    case 0: /* cut off */
      break;
    case 1: /* goes on with zeros, or with another packet */
      if (new_bytes > size_bytes && choose (random, 2) == 0)
        splice (data + size_bytes, new_bytes - size_bytes, stream, random);
      break;
    case 2:
      for (gsize n = choose (random, 8) + 1; n > 0; n--)
        data[choose (random, new_bytes)] ^= (guint8) (1u << choose (random, 8));
      break;
    case 3: /* the beginning, where headers are */
      for (gsize n = choose (random, 3) + 1; n > 0; n--)
        data[choose (random, MIN (new_bytes, 24))] = (guint8) g_rand_int (random);
      break;
    case 4:
      for (gsize at = choose (random, new_bytes), n = choose (random, 60); at < new_bytes && n > 0; at++, n--)
        data[at] = (guint8) g_rand_int (random);
      break;
    case 5:
      memset (data + new_bytes / 2, choose (random, 2) ? 0xff : 0, new_bytes - new_bytes / 2);
      break;
    case 6:
      splice (data, new_bytes, stream, random);
      break;
    default: /* a part is missing in the middle */
      if (new_bytes > 8) {
        gsize at = choose (random, new_bytes / 2), n = choose (random, new_bytes / 2);
        memmove (data + at, data + at + n, new_bytes - at - n);
        new_bytes -= n;
      }
      break;
  }
  /* Of exactly that size, so that the sanitizer sees who reads beyond. */
  GstBuffer *mutated = gst_buffer_new_wrapped (g_memdup2 (data, MAX (new_bytes, 1)), MAX (new_bytes, 1));
  gst_buffer_copy_into (mutated, packet, GST_BUFFER_COPY_METADATA, 0, (gsize) -1);
  g_free (data);
  return mutated;
}

/* The last key frame that has about a quarter of the stream behind it. */
static guint
find_end (const Stream *stream)
{
  guint found = 0;
  for (guint i = 1; i < stream->packets->len - 3; i++) {
    GstBuffer *packet = stream->packets->pdata[i];
    if (!GST_BUFFER_FLAG_IS_SET (packet, GST_BUFFER_FLAG_DELTA_UNIT))
      found = i;
  }
  return found;
}

static GstBuffer *
at_pass (GstBuffer *packet, guint pass)
{
  GstBuffer *moved = gst_buffer_make_writable (packet);
  if (GST_BUFFER_PTS_IS_VALID (moved))
    GST_BUFFER_PTS (moved) += pass * PASS_NS;
  return moved;
}

/* AVI has no times: without B frames they are those of decoding. */
static void
give_times (Stream *stream)
{
  for (guint i = 0; i < stream->packets->len; i++) {
    GstBuffer *packet = gst_buffer_make_writable (stream->packets->pdata[i]);
    if (!GST_BUFFER_PTS_IS_VALID (packet))
      GST_BUFFER_PTS (packet) = GST_BUFFER_DTS (packet);
    GST_BUFFER_DTS (packet) = GST_CLOCK_TIME_NONE;
    stream->packets->pdata[i] = packet;
  }
}

static Output
output_new (GstClockTime from_ns)
{
  return (Output){ .sums = g_ptr_array_new_with_free_func (g_free), .from_ns = from_ns };
}

/* With one decoder: PASSES times through the stream. The number of mutated packets; @random NULL: one clean pass. */
static guint
play_passes (const gchar *line, const Stream *stream, guint end, GRand *random, Output *output)
{
  GstHarness *harness = new_traced (line, stream, NULL);
  guint n_mutated = 0;
  gst_pad_add_probe (harness->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, note_picture, output, NULL);
  for (guint pass = 0; pass < (random ? PASSES : 1); pass++) {
    for (guint i = 0; i < stream->packets->len; i++) {
      GstBuffer *packet = gst_buffer_ref (stream->packets->pdata[i]);
      gboolean bad = random && i < end && g_rand_int_range (random, 0, 4) > 0;
      if (bad) {
        GstBuffer *mutated = mutate (stream, packet, random);
        gst_buffer_unref (packet);
        packet = mutated;
        n_mutated++;
      }
      GstFlowReturn flow = gst_harness_push (harness, at_pass (packet, pass));
      fail_unless (flow == GST_FLOW_OK, "%s, pass %u, packet %u: %s", line, pass, i, gst_flow_get_name (flow));
    }
  }
  fail_unless (gst_harness_push_event (harness, gst_event_new_eos ()));
  gst_harness_teardown (harness);
  return n_mutated;
}

/* The pictures behind the key frame are all there, in their order, once for each pass; what is between does not matter. */
static void
expect_ends (const gchar *what, const Output *found, const Output *wanted)
{
  guint at = 0;
  for (guint i = 0; i < PASSES * wanted->sums->len; i++, at++) {
    const gchar *sum = wanted->sums->pdata[i % wanted->sums->len];
    while (at < found->sums->len && !g_str_equal (found->sums->pdata[at], sum))
      at++;
    fail_unless (at < found->sums->len, "%s: of %u good pictures behind key frames only %u came out right", what,
                 PASSES * wanted->sums->len, i);
  }
}

GST_START_TEST (mutated_packets_do_no_harm_beyond_the_next_key_frame)
{
  const Family *family = &families[__i__];
  const gchar *only = g_getenv ("BA_CORRUPT_FAMILY");
  if (only && !g_str_equal (only, family->name))
    return;
  guint n = get_number ("BA_CORRUPT_PACKETS", 300), seed = get_number ("BA_CORRUPT_SEED", 1), n_mutated = 0;
  Stream stream = load_stream (family->name, family->size, family->options, family->demux);
  guint end = find_end (&stream);
  give_times (&stream);
  fail_unless (end > 3, "%s has no key frame but the first", family->name);
  Output wanted = output_new (GST_BUFFER_PTS (stream.packets->pdata[end]));
  play_passes (decoders[0], &stream, end, NULL, &wanted);
  g_ptr_array_set_size (wanted.sums, (gint) wanted.sums->len - 2);
  fail_unless (wanted.sums->len >= 2, "%s: %u pictures", family->name, wanted.sums->len);
  for (guint round = 0; n_mutated < n; round++) {
    GRand *random = g_rand_new_with_seed (seed * 1000003u + g_str_hash (family->name) + round);
    gchar *what = g_strdup_printf ("%s, round %u", family->name, round);
    Output found = output_new (0);
    n_mutated += play_passes (decoders[round % G_N_ELEMENTS (decoders)], &stream, end, random, &found);
    if (!family->sticks)
      expect_ends (what, &found, &wanted);
    g_ptr_array_unref (found.sums);
    g_free (what);
    g_rand_free (random);
  }
  g_ptr_array_unref (wanted.sums);
  unload (&stream);
}
GST_END_TEST

static Suite *
avzerodec_corrupt_suite (void)
{
  Suite *suite = suite_create ("avzerodec-corrupt");
  load_plugins ();
  TCase *tcase = tcase_create ("families");
  watch_over (tcase);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, mutated_packets_do_no_harm_beyond_the_next_key_frame, 0, G_N_ELEMENTS (families));
  return suite;
}

GST_CHECK_MAIN (avzerodec_corrupt)
