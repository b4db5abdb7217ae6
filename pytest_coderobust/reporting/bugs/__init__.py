"""Bug reports: one breaking prompt each, for a tracker."""
