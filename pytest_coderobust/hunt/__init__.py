"""Former room of the hunt, which is `pytest_coderobust.hunting` now, because `hunt` is a function.

Importing its one module does not hide the function `pytest_coderobust.hunt`.
"""
