"""What holds for all tests."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from localaws.instance import Instance

# A shell that runs the tests in the background lets them ignore Ctrl-C, and all that they start would inherit that.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Most tests are about what AWS answers. Those about what the tasks do have them run for real, and say so themselves.
os.environ.setdefault("LOCALAWS_TASKS", "simulated")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An embedded AWS that runs tasks as processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCALAWS_TASKS", "processes")
        instance = Instance(tmp_path_factory.mktemp("running"))
        instance.start()
        yield instance
        instance.stop()
