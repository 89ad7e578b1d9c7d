# SPDX-License-Identifier: LGPL-2.1-or-later
"""vkms.ko: a KMS card in software with a real vsync, which Debian leaves out of its kernel. Built from Debian's source
and headers of the same kernel, once, and kept in the build directory."""
import glob
import os
import shutil
import subprocess
import tempfile

import machine


def module():
    """(path of vkms.ko, None), or (None, why there is none)."""
    release, _ = machine.newest_kernel()
    headers = f"/lib/modules/{release}/build"
    source = f"/usr/src/linux-source-{machine.KERNEL}.tar.xz"
    for needed, package in ((headers, f"linux-headers-{machine.KERNEL}-amd64"),
                            (source, f"linux-source-{machine.KERNEL}")):
        if not os.path.exists(needed):
            return None, f"no {needed} (package {package})"
    return machine.built_once(f"vkms-{release}", "vkms.ko", lambda folder: build(source, headers, folder)), None


def build(source, headers, folder):
    inside = f"linux-source-{machine.KERNEL}/drivers/gpu/drm/vkms"
    with tempfile.TemporaryDirectory(prefix="bufalloc-") as work:
        subprocess.run(["tar", "-C", work, "-xf", source, inside], check=True)
        tree = os.path.join(work, inside)
        with open(os.path.join(folder, "build.log"), "wb") as log:
            subprocess.run(["make", "-C", headers, f"M={tree}", "CONFIG_DRM_VKMS=m", "modules"], check=True, stdout=log,
                           stderr=log)
        for name in glob.glob(os.path.join(tree, "vkms.ko")):
            shutil.copy(name, os.path.join(folder, "new.ko"))
        os.rename(os.path.join(folder, "new.ko"), os.path.join(folder, "vkms.ko"))
