#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds and runs an example that is a project of its own, as a user of the installed library would:
test-out-of-tree.py TOP EXAMPLE

The core library of the source tree TOP is installed into a temporary prefix, the project in the directory EXAMPLE is
built against the pkg-config file found there, and its tests are run. 77 (skipped) where the project says that this
machine lacks what it needs: a machine without CUDA's header builds nothing, one without a GPU runs nothing.
CUDA_HOME or CUDA_PATH, where set, name the CUDA toolkit, as its own tools have it.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode != 0:
        sys.exit("%s failed:\n%s" % (" ".join(command), done.stdout))
    return done.stdout


def clean_environment(**settings):
    """This process's, without what meson and a sanitizer's set-up left in it."""
    return dict({name: value for name, value in os.environ.items()
                 if not name.startswith("MESON") and name not in ("LD_PRELOAD", "DESTDIR", "CFLAGS", "LDFLAGS")},
                **settings)


def main():
    top, example = sys.argv[1:]
    name = os.path.basename(example)
    with tempfile.TemporaryDirectory() as work:
        prefix = os.path.join(work, "prefix")
        environment = clean_environment()
        run("meson", "setup", os.path.join(work, "core"), top, "--prefix", prefix, "--libdir", "lib", "-Dgst=disabled",
            "-Dtests=disabled", "-Dexamples=disabled", env=environment)
        run("meson", "install", "-C", os.path.join(work, "core"), env=environment)

        # away from the tree, so that nothing of it can be found by a relative path
        source = shutil.copytree(example, os.path.join(work, name))
        build = os.path.join(work, "build")
        environment = clean_environment(PKG_CONFIG_PATH=os.path.join(prefix, "lib", "pkgconfig"),
                                        LD_LIBRARY_PATH=os.path.join(prefix, "lib"))
        options = []
        cuda = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH")
        if name == "cuda_allocator" and cuda:
            options.append("-Dheader_dir=" + os.path.join(cuda, "include"))
        run("meson", "setup", build, source, "-Dwerror=true", *options, env=environment)
        run("meson", "compile", "-C", build, env=environment)
        tests = json.loads(run("meson", "introspect", "--tests", build, env=environment))
        if not tests:
            print("nothing was built: this machine lacks what %s needs" % name)
            return SKIPPED
        skipped = 0
        for test in tests:
            done = subprocess.run(test["cmd"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  env=environment, timeout=60)
            print(done.stdout, end="")
            if done.returncode not in (0, SKIPPED):
                sys.exit("%s ended with %d" % (test["name"], done.returncode))
            skipped += done.returncode == SKIPPED
        return SKIPPED if skipped == len(tests) else 0


if __name__ == "__main__":
    sys.exit(main())
