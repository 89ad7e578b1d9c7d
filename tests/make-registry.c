/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * make-registry.c: writes the plugin registry that all tests share, to the file named by its argument, when the tree is
 * built. It is a program of the tree, so that in a sanitizer's build it can load the plugin, and it ends without a
 * leak check: what the system's plugins leak while they are looked at is theirs, and no test has to look again.
 */
#include <gst/gst.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
main (int argc, char **argv)
{
  GError *error = NULL;
  GstPlugin *plugin;

  if (argc != 2) {
    fprintf (stderr, "usage: make-registry FILE\n");
    return EXIT_FAILURE;
  }
  setenv ("GST_REGISTRY", argv[1], 1);
#ifdef __SANITIZE_ADDRESS__
  /* GStreamer's helper process knows no sanitizer. */
  setenv ("GST_REGISTRY_FORK", "no", 1);
#endif
  if (!gst_init_check (NULL, NULL, &error)) {
    fprintf (stderr, "make-registry: %s\n", error->message);
    _exit (EXIT_FAILURE);
  }
  plugin = gst_registry_find_plugin (gst_registry_get (), "bufalloc");
  if (plugin == NULL) {
    fprintf (stderr, "make-registry: GStreamer cannot load the plugin\n");
    _exit (EXIT_FAILURE);
  }
  _exit (EXIT_SUCCESS);
}
