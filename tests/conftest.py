"""What holds for all tests."""

import os
import signal
import threading

# A shell that runs the tests in the background lets them ignore Ctrl-C, and all that they start would inherit that.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Most tests are about what AWS answers. Those about what the tasks do have them run for real, and say so themselves.
os.environ.setdefault("LOCALAWS_TASKS", "simulated")
