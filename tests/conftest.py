"""What holds for all tests."""

import signal
import threading

# A shell that runs the tests in the background lets them ignore Ctrl-C, and all that they start would inherit that.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
