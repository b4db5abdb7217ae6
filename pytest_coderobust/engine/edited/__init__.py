"""Measurement of one suite on a base model and on models edited from it."""
