import subprocess
import sys

import pytest

CHILD = """
import logging, os, signal
from mlx_engine.engine.children.child_pipes import end_process, open_pipes
requests, events = open_pipes(logging.INFO)
print("noise from Python", flush=True)
os.write(1, b"noise from C\\n")
logging.info("a log line")
os.kill(os.getpid(), signal.SIGINT)
assert os.read(0, 1) == b""
events.write(requests.readline())
events.flush()
end_process(3)
"""


@pytest.mark.process
def test_only_the_protocol_uses_the_pipes() -> None:
    """Other output and the log go to standard error, other code reads nothing, and Control-C is ignored."""
    child = subprocess.run([sys.executable, "-c", CHILD], input=b"a request\n", capture_output=True, check=False)
    assert (child.returncode, child.stdout) == (3, b"a request\n")
    assert b"noise from Python\nnoise from C\n" in child.stderr
    assert b"root: a log line" in child.stderr
