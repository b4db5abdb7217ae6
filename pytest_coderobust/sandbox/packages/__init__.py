"""Packages in the sandbox: installed distributions that a suite's solutions may use."""
