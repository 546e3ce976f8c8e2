"""Keeps secrets out of core dumps: the command line calls `harden_process` before it reads a setting.

Linux also stops other programs of the same user from reading this one's memory. Elsewhere it does what the
system allows and never fails: a start must not depend on it.
"""

import contextlib
import ctypes
import sys

PR_SET_DUMPABLE = 4


def harden_process() -> None:
    """Forbid core dumps of this process and, on Linux, a look into its memory by others of the same user."""
    _no_core_files()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _no_core_files() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  Windows has none

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
