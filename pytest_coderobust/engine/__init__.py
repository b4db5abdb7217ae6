"""The path itself: plan, generate in windows, judge, observe."""
