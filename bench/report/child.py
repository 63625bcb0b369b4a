"""Runs a program whose output is shown as it comes, and remembers the last words of its errors."""

import os
import pty
import re
import signal
import subprocess
import sys

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f]")


def run(words, environment=None):
    """Returns the exit code, and the last line it wrote to standard error. If that is a terminal
    here, it is one for the program too, which may show its progress there."""
    read, write = pty.openpty() if sys.stderr.isatty() else os.pipe()
    sys.stdout.flush()
    process = None
    try:
        process = subprocess.Popen(words, stderr=write, env=environment)
        os.close(write)
        last = _pass_on(read)
        return process.wait(), last
    except BaseException:
        if process is None:
            os.close(write)
        else:
            _end(process)
        raise
    finally:
        os.close(read)


def _end(process):
    """Gives it ten seconds to put away what it has made."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=10)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


def why(status, last):
    """What ended a program, for a reader."""
    ended = f"signal {-status}" if status < 0 else f"exit code {status}"
    return f"{last} ({ended})" if last else f"it ended with {ended}"


def _pass_on(descriptor):
    """Everything that comes, to standard error. Returns the last line that is not empty."""
    end = b""
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # a terminal that nobody has open any more
            piece = b""
        if not piece:
            break
        sys.stderr.flush()
        os.write(2, piece)
        end = (end + piece)[-4096:]
    lines = re.split(r"[\r\n]+", end.decode("utf-8", errors="replace"))
    lines = [ESCAPES.sub("", line).strip() for line in lines]
    return next((line for line in reversed(lines) if line), "")
