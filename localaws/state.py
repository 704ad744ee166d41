"""The one lock over everything that the embedded AWS knows, and the flag that says it changed.

Moto's backends are plain Python objects that were not made for threads, and a snapshot of them must not see a change
half done. So every call, every background change and every save holds `lock`; Python's own lock lets one thread work
at a time anyway. Whoever changed something sets `changed`: it is saved a moment later.
"""

import threading

lock = threading.RLock()
changed = threading.Event()
