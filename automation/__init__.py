"""HOW the stacks are deployed: plan, run, verify and report. Entry points are the scripts beside this file."""
