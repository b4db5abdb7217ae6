"""Code that runs inside the cage: standard library only, started as `python -s -S cage/`.

The trusted side imports nothing from here but `wire`, the language both sides speak.
"""
