"""Methods that repair a model: one file each, applied through one protocol, undone bit-exactly."""
