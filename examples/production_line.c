/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * production_line.c: a video player of two threads over libbufalloc, without GStreamer: production_line CLIP DEVICE.
 *
 * The decoder thread reads CLIP with libavformat and libavcodec, and puts each AVFrame into a pool, filled, for one
 * use: nothing is copied. The display thread takes frames, converts each into a page of DEVICE (a string as in
 * display.h), and flips it. The main thread waits for the end, or for SIGINT or SIGTERM. It plays as fast as DEVICE
 * flips; sound and the clip's own clock are left out, and a picture is shown at its size, in the middle, cut where it
 * is too large.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <bufalloc/bufalloc.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/pixdesc.h>
#include <libyuv.h>

/* Decoded frames that may wait for the display. A pool of injected frames has no size of its own that would slow the
 * decoder down, so the line counts them. */
#define MAX_WAITING_FRAMES 4

typedef struct
{
  AVFormatContext *file;
  AVCodecContext *codec;
  int stream;

  BaAllocator *frame_allocator;
  BaPool *frames;
  BaAllocator *page_allocator;
  BaPool *pages;
  BaDisplay *display;

  sem_t room; /* how many frames the decoder may still put into the pool */
  BaCancel no_more; /* the decoder has ended: take what is left */
  BaCancel stop; /* end now */
  int finished_fd; /* an eventfd: the display thread has ended */

  BaError decoder_error; /* the decoder thread's, then main's */
  BaError display_error; /* the display thread's, then main's */
  unsigned n_shown; /* the display thread's, then main's */
  double seconds; /* the display thread's, then main's */
} Line;

static double
now_s (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static int
av_failed (BaError *error, int code, const char *what)
{
  char text[AV_ERROR_MAX_STRING_SIZE];
  return ba_error_set (error, -EIO, "%s: %s", what, av_make_error_string (text, sizeof text, code));
}

/* Each flag first, then the wake-up: a waiter looks at its flag again when it wakes. */
static void
stop_line (Line *line)
{
  atomic_store (&line->stop, 1);
  atomic_store (&line->no_more, 1);
  ba_pool_wake (line->frames);
  ba_pool_wake (line->pages);
  ba_display_wake (line->display);
  sem_post (&line->room);
}

/* ---- the decoder thread ---------------------------------------------------------------------------------------- */

/* Gives on all frames the codec has ready. Returns 0 to go on; 1 at the end; or a negative code. */
static int
pass_frames_on (Line *line, AVFrame *frame)
{
  for (;;) {
    int got = avcodec_receive_frame (line->codec, frame);
    if (got == AVERROR (EAGAIN))
      return 0;
    if (got == AVERROR_EOF)
      return 1;
    if (got < 0)
      return av_failed (&line->decoder_error, got, "the decoder failed");
    while (sem_wait (&line->room) < 0 && errno == EINTR)
      continue;
    if (atomic_load (&line->stop))
      return 1;
    /* the pool takes its own reference to the data: this AVFrame is used again for the next picture */
    int r = ba_avframe_inject (line->frame_allocator, line->frames, frame, BA_INJECT_FILLED | BA_INJECT_ONCE,
                               &line->decoder_error, NULL);
    av_frame_unref (frame);
    if (r < 0)
      return r;
  }
}

static void *
run_decoder (void *data)
{
  Line *line = data;
  AVPacket *packet = av_packet_alloc ();
  AVFrame *frame = av_frame_alloc ();
  int r = packet && frame ? 0 : ba_error_set (&line->decoder_error, -ENOMEM, "no memory for a packet");
  while (r == 0) {
    int got = av_read_frame (line->file, packet);
    if (got < 0 && got != AVERROR_EOF) {
      r = av_failed (&line->decoder_error, got, "the clip cannot be read on");
      break;
    }
    if (got == 0 && packet->stream_index != line->stream) {
      av_packet_unref (packet);
      continue;
    }
    /* at the end of the file an empty packet makes the codec give up what it holds back */
    int sent = avcodec_send_packet (line->codec, got == AVERROR_EOF ? NULL : packet);
    av_packet_unref (packet);
    r = sent < 0 ? av_failed (&line->decoder_error, sent, "the decoder refused a packet")
                 : pass_frames_on (line, frame);
  }
  av_frame_free (&frame);
  av_packet_free (&packet);
  atomic_store (&line->no_more, 1);
  ba_pool_wake (line->frames);
  return NULL;
}

/* ---- the display thread ---------------------------------------------------------------------------------------- */

static const struct YuvConstants *
matrix_of (const AVFrame *frame)
{
  bool full = frame->color_range == AVCOL_RANGE_JPEG || frame->format == AV_PIX_FMT_YUVJ420P;
  switch (frame->colorspace) {
    case AVCOL_SPC_BT709:
      return full ? &kYuvF709Constants : &kYuvH709Constants;
    case AVCOL_SPC_BT2020_NCL:
      return full ? &kYuvV2020Constants : &kYuv2020Constants;
    default:
      return full ? &kYuvJPEGConstants : &kYuvI601Constants;
  }
}

/* One picture into one page. libyuv calls the bytes B, G, R, X "ARGB", after the word they make. */
static int
draw (Line *line, BaBuffer *from, BaBuffer *page)
{
  const AVFrame *frame = ba_avframe_from_buffer (from);
  const BaLayout *in = ba_buffer_get_layout (from);
  const BaLayout *out = ba_buffer_get_layout (page);
  unsigned width = in->width_px < out->width_px ? in->width_px : out->width_px;
  unsigned height = in->height_px < out->height_px ? in->height_px : out->height_px;
  if (width < out->width_px || height < out->height_px)
    ba_display_clear (line->display, (unsigned) ba_display_get_page_number (line->display, page));

  /* where the picture is cut, the cut begins at an even place, so that every format has a whole chroma pixel there */
  size_t x = ((in->width_px - width) / 2) & ~1u, y = ((in->height_px - height) / 2) & ~1u;
  uint8_t *to = (uint8_t *) ba_buffer_get_plane (page, 0) + (out->height_px - height) / 2 * out->stride_bytes[0]
                + (out->width_px - width) / 2 * 4;
  const uint8_t *p[3] = { 0 };
  int stride[3] = { 0 }, to_stride = (int) out->stride_bytes[0], w = (int) width, h = (int) height;
  const AVPixFmtDescriptor *format = av_pix_fmt_desc_get (frame->format);
  for (unsigned i = 0; i < in->n_planes && i < 3; i++) {
    size_t step = in->n_planes == 1 ? 4 : 1;
    size_t px = i ? x >> format->log2_chroma_w : x, py = i ? y >> format->log2_chroma_h : y;
    stride[i] = (int) in->stride_bytes[i];
    p[i] = (const uint8_t *) ba_buffer_get_plane (from, i) + py * in->stride_bytes[i] + px * step;
  }

  const struct YuvConstants *matrix = matrix_of (frame);
  switch (frame->format) {
    case AV_PIX_FMT_BGR0:
    case AV_PIX_FMT_BGRA:
      return ARGBCopy (p[0], stride[0], to, to_stride, w, h);
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P:
      return I420ToARGBMatrix (p[0], stride[0], p[1], stride[1], p[2], stride[2], to, to_stride, matrix, w, h);
    case AV_PIX_FMT_YUV422P:
      return I422ToARGBMatrix (p[0], stride[0], p[1], stride[1], p[2], stride[2], to, to_stride, matrix, w, h);
    case AV_PIX_FMT_YUV444P:
      return I444ToARGBMatrix (p[0], stride[0], p[1], stride[1], p[2], stride[2], to, to_stride, matrix, w, h);
    default:
      return ba_error_set (&line->display_error, -ENOTSUP, "this example cannot draw pictures of the format %s",
                           format->name);
  }
}

/* The oldest frame; once the decoder has ended, only what is left. */
static int
next_frame (Line *line, BaBuffer **out)
{
  int r = ba_pool_take (line->frames, BA_WAIT_FOREVER, &line->no_more, out);
  if (r == -ECANCELED && !atomic_load (&line->stop))
    r = ba_pool_take (line->frames, BA_NO_WAIT, NULL, out);
  return r;
}

static int
show (Line *line, BaBuffer *frame)
{
  BaBuffer *page;
  int r = ba_pool_acquire (line->pages, BA_WAIT_FOREVER, &line->stop, &page);
  if (r < 0)
    return r;
  r = draw (line, frame, page);
  if (r == 0)
    r = ba_display_flip (line->display, page, &line->stop);
  /* the display keeps a reference of its own until the page after this one is visible */
  ba_pool_release (line->pages, page);
  return r;
}

static void *
run_display (void *data)
{
  Line *line = data;
  BaBuffer *frame;
  double began_s = 0;
  int r = 0;
  while (r >= 0 && (r = next_frame (line, &frame)) == 0) {
    if (line->n_shown == 0)
      began_s = now_s ();
    r = show (line, frame);
    ba_pool_release (line->frames, frame); /* its one use is over: the AVFrame goes back to libavcodec */
    sem_post (&line->room);
    if (r >= 0)
      line->n_shown++;
  }
  if (r == -EAGAIN) /* the end: the last picture counts when it is visible */
    r = ba_display_wait (line->display, &line->stop);
  if (r < 0 && r != -ECANCELED && line->display_error.code == 0)
    ba_error_set (&line->display_error, r, "a frame cannot be shown: %s", ba_error_text (r));
  line->seconds = line->n_shown ? now_s () - began_s : 0;
  uint64_t one = 1;
  if (write (line->finished_fd, &one, sizeof one) < 0)
    abort (); /* an eventfd takes at least one */
  return NULL;
}

/* ---- the line ------------------------------------------------------------------------------------------------ */

static int
open_clip (Line *line, const char *path, BaError *error)
{
  int r = avformat_open_input (&line->file, path, NULL, NULL);
  if (r < 0)
    return av_failed (error, r, path);
  if ((r = avformat_find_stream_info (line->file, NULL)) < 0)
    return av_failed (error, r, path);
  const AVCodec *codec = NULL;
  line->stream = av_find_best_stream (line->file, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
  if (line->stream < 0 || !codec)
    return ba_error_set (error, -EINVAL, "%s: no video that libavcodec decodes", path);
  line->codec = avcodec_alloc_context3 (codec);
  if (!line->codec)
    return ba_error_set (error, -ENOMEM, "no memory for a decoder");
  r = avcodec_parameters_to_context (line->codec, line->file->streams[line->stream]->codecpar);
  line->codec->thread_count = 0; /* as many as there are processors */
  if (r >= 0)
    r = avcodec_open2 (line->codec, codec, NULL);
  return r < 0 ? av_failed (error, r, codec->name) : 0;
}

static int
open_screen (Line *line, const char *device, BaError *error)
{
  int r = ba_display_open (device, NULL, error, &line->display);
  if (r < 0)
    return r;
  uint32_t fourcc = ba_display_get_info (line->display)->layout.fourcc;
  if (fourcc != BA_FOURCC ('X', 'R', '2', '4'))
    return ba_error_set (error, -ENOTSUP, "%s: this example draws BGRx pixels (XR24) only, the display has %.4s",
                         device, (const char *) &fourcc);
  BaConfig config = { .display = line->display };
  r = ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, error, &line->page_allocator);
  if (r < 0)
    return r;
  r = ba_allocator_build_pool (line->page_allocator, &(BaSpec){ .name = "pages" }, &line->pages);
  return r < 0 ? ba_error_set (error, r, "%s: no pool of pages: %s", device, ba_error_text (r)) : 0;
}

static int
open_pool_of_frames (Line *line, BaError *error)
{
  int r = ba_allocator_new (BA_TYPE_AVFRAME, &line->frame_allocator);
  if (r == 0)
    r = ba_allocator_build_pool (line->frame_allocator, &(BaSpec){ .name = "frames" }, &line->frames);
  return r < 0 ? ba_error_set (error, r, "no pool for frames: %s", ba_error_text (r)) : 0;
}

/* In reverse order. Frames that are still inside go with their pool; the screen is put back as it was. */
static void
close_line (Line *line)
{
  if (line->display)
    ba_display_close (line->display);
  ba_pool_unref (line->pages);
  ba_allocator_unref (line->page_allocator);
  ba_display_unref (line->display);
  ba_pool_unref (line->frames);
  ba_allocator_unref (line->frame_allocator);
  avcodec_free_context (&line->codec);
  avformat_close_input (&line->file);
}

/* Runs both threads to the end, or until a signal. The signals were blocked before: so they are in every thread. */
static int
run_line (Line *line, const sigset_t *signals, BaError *error)
{
  pthread_t decoder, display;
  int r = -ENOMEM;
  sem_init (&line->room, 0, MAX_WAITING_FRAMES);
  line->finished_fd = eventfd (0, EFD_CLOEXEC);
  int signal_fd = signalfd (-1, signals, SFD_CLOEXEC);
  if (line->finished_fd < 0 || signal_fd < 0)
    goto done;
  if (pthread_create (&decoder, NULL, run_decoder, line) != 0)
    goto done;
  r = pthread_create (&display, NULL, run_display, line) == 0 ? 0 : -ENOMEM;
  if (r == 0) {
    struct pollfd wait_for[2] = { { .fd = signal_fd, .events = POLLIN },
                                  { .fd = line->finished_fd, .events = POLLIN } };
    while (poll (wait_for, 2, -1) < 0 && errno == EINTR)
      continue;
  }
  stop_line (line);
  pthread_join (decoder, NULL);
  if (r == 0)
    pthread_join (display, NULL);
done:
  if (signal_fd >= 0)
    close (signal_fd);
  if (line->finished_fd >= 0)
    close (line->finished_fd);
  sem_destroy (&line->room);
  return r < 0 ? ba_error_set (error, r, "the threads cannot be started") : 0;
}

int
main (int argc, char **argv)
{
  if (argc != 3) {
    fprintf (stderr, "usage: production_line CLIP DEVICE, for example: production_line clip.mp4 virtual:1280x720\n");
    return 2;
  }
  av_log_set_level (AV_LOG_QUIET); /* what fails is said once, by us */
  sigset_t signals;
  sigemptyset (&signals);
  sigaddset (&signals, SIGINT);
  sigaddset (&signals, SIGTERM);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);

  Line line = { 0 };
  BaError error = { 0 };
  int r = open_clip (&line, argv[1], &error);
  if (r == 0)
    r = open_pool_of_frames (&line, &error);
  if (r == 0)
    r = open_screen (&line, argv[2], &error);
  if (r == 0)
    r = run_line (&line, &signals, &error);
  close_line (&line);

  if (r == 0 && line.decoder_error.code < 0)
    error = line.decoder_error;
  else if (r == 0 && line.display_error.code < 0)
    error = line.display_error;
  if (error.code < 0) {
    fprintf (stderr, "production_line: %s\n", error.message);
    return 1;
  }
  printf ("%u frames shown, %.1f frames per second\n", line.n_shown,
          line.seconds > 0 ? line.n_shown / line.seconds : 0.0);
  return 0;
}
