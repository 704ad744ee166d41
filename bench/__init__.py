"""How fast it all is, each figure beside a baseline of the same run: `python -m bench --help`.

A row is a module with a function `measure`; `rows` lists them. Figures are never judged: a time says as much about the
machine, and whatever else it does at the moment, as about the code.
"""
