"""The path of a run: plan, generate in windows, judge, observe."""
