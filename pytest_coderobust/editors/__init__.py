"""Editors: methods that repair a model, one file each, behind one protocol, undone bit-exactly."""
