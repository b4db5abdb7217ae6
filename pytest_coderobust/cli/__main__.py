"""`python -m pytest_coderobust.cli`, where the console script is not on the path."""

from __future__ import annotations

from pytest_coderobust.cli import main

raise SystemExit(main())
