"""The former module of `find_breaking_prompt` still gives the function."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_coderobust.hunt import finding
from pytest_coderobust.session import hunting


def test_former_module_gives_the_function_of_the_new_one() -> None:
    from pytest_coderobust.hunt.finding import find_breaking_prompt

    assert find_breaking_prompt is hunting.find_breaking_prompt


def test_former_module_has_no_other_name() -> None:
    with pytest.raises(AttributeError, match=r"hunt\.finding' has no attribute 'find_prompt'"):
        finding.find_prompt  # noqa: B018


def test_former_module_loads_no_session_until_it_is_asked() -> None:
    code = (
        "import sys, pytest_coderobust.hunt.finding\n"
        "print([name for name in sys.modules if name.startswith('pytest_coderobust.session')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
