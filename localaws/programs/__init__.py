"""What the embedded AWS runs in place of container images: each program is `python -m localaws.programs.NAME`.

They listen on, and speak to, 127.0.0.0/8 alone. Each task has an address of its own there, in LOCALAWS_TASK_ADDRESS.
"""
