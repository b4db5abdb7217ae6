"""The anatomy of a gold program: imports, the entry function's header and body, and the rest.

MBPP gives each task a whole program and asserts that call it. A prompt shows the imports and
the header; a completion brings the body and everything else.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_coderobust.tasks.program import (
    Definition,
    FunctionNode,
    cut_source,
    find_first_line,
    find_functions,
    find_needed,
    find_used_names,
    is_import,
    parse,
)

INDENT = "    "


@dataclass(frozen=True, slots=True)
class Gold:
    """A gold program in the order a prompt and its completion need it.

    The parts, joined in this order, are a program that does the same as the gold program.

    Attributes:
        before: imports, and whatever the header itself needs.
        header: from the decorators or `def` to the colon.
        indent: the least indent of the body's lines.
        body: the entry function's body.
        after: the other functions, classes and constants.
    """

    before: str
    header: str
    indent: str
    body: str
    after: str


def find_entry_points(program: ast.Module, tests: ast.Module) -> tuple[str, ...]:
    """Finds the functions of the gold program that the tests call, in the program's order.

    Where tests call several, those whose result is tested win over those that only prepare an
    argument. Of the winners, only those that are called most often are kept.
    """
    names = find_functions(program)
    called = _count_calls(ast.walk(tests), names)
    if len(called) > 1:
        outer = [node for test in tests.body for node in _find_outer_calls(test)]
        called = _count_calls(outer, names) or called
        most = max(called.values())
        called = Counter({name: count for name, count in called.items() if count == most})
    return tuple(name for name in names if name in called)


def dissect(code: str, name: str) -> Gold | None:
    """Cuts a gold program into its parts; None where it does not define the function."""
    code = code.replace("\r\n", "\n")
    tree = parse(code)
    function = find_functions(tree).get(name) if tree else None
    if tree is None or function is None:
        return None
    others = [s for s in tree.body if not (isinstance(s, Definition) and s.name == name)]
    early = _find_early(others, function)
    header, rest = _split_header(code, function)
    indent, body = _body(function, header, rest)
    return Gold(
        before="\n".join(cut_source(code, s) for s in others if s in early),
        header=header,
        indent=indent,
        body=body,
        after="\n\n".join(cut_source(code, s) for s in others if s not in early),
    )


def _count_calls(nodes: Iterable[ast.AST], names: Iterable[str]) -> Counter[str]:
    calls = (n.func for n in nodes if isinstance(n, ast.Call))
    found = Counter(f.id for f in calls if isinstance(f, ast.Name))
    return Counter({name: found[name] for name in names if found[name]})


def _find_outer_calls(node: ast.AST) -> list[ast.Call]:
    """The calls by name below a node that are not an argument of another such call."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return [node]
    return [call for child in ast.iter_child_nodes(node) for call in _find_outer_calls(child)]


def _find_early(statements: Sequence[ast.stmt], function: FunctionNode) -> frozenset[ast.stmt]:
    """The imports, and the statements that the header's names need, however indirectly."""
    names = find_used_names([function.args, *function.decorator_list, *_list_annotation(function)])
    return find_needed(statements, names) | {s for s in statements if is_import(s)}


def _list_annotation(function: FunctionNode) -> list[ast.expr]:
    return [function.returns] if function.returns is not None else []


def _split_header(code: str, function: FunctionNode) -> tuple[str, str]:
    """The function's source up to its colon, and everything after the colon."""
    lines = code.split("\n")
    start = find_first_line(function)
    readline = io.StringIO("\n".join(lines[function.lineno - 1 : function.end_lineno])).readline
    depth = 0
    for token in tokenize.generate_tokens(readline):
        depth += _nesting(token)
        if token.string == ":" and depth == 0:
            line, column = function.lineno - 1 + token.end[0], token.end[1]
            header = "\n".join([*lines[start - 1 : line - 1], lines[line - 1][:column]])
            rest = [lines[line - 1][column:], *lines[line : function.end_lineno]]
            return header, "\n".join(rest)
    raise AssertionError("a function that parses has a colon")


def _body(function: FunctionNode, header: str, rest: str) -> tuple[str, str]:
    """The indent of the body, and the body: four spaces a level wherever that is safe."""
    first, _, block = rest.partition("\n")
    inline = first.strip()
    if inline and not inline.startswith("#"):
        return INDENT, f"{INDENT}{inline}\n{block}".rstrip("\n") + "\n"
    body = _reindent(header, block) + "\n"
    if _is_same(function, f"{header}\n{body}"):
        return INDENT, body
    line = block.split("\n")[function.body[0].lineno - (function.end_lineno or 0) - 1]
    return line[: len(line) - len(line.lstrip())], block + "\n"


def _reindent(header: str, block: str) -> str:
    """The block with four spaces for each level; lines that continue another stay as they are."""
    lines = [*header.split("\n"), *block.split("\n")]
    depth = brackets = 0
    starts = True
    for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
        if token.type in (tokenize.INDENT, tokenize.DEDENT):
            depth += 1 if token.type == tokenize.INDENT else -1
        elif token.type in (tokenize.NEWLINE, tokenize.NL):
            starts = brackets == 0
        else:
            number = token.start[0] - 1
            if starts and number < len(lines):
                level = max(depth, 1) if token.type == tokenize.COMMENT else depth
                lines[number] = INDENT * level + lines[number].lstrip()
            starts = False
            brackets += _nesting(token)
    return "\n".join(lines[header.count("\n") + 1 :])


def _nesting(token: tokenize.TokenInfo) -> int:
    """The number of brackets that a token opens: 1, -1 or 0."""
    if token.type != tokenize.OP:
        return 0
    return (token.string in "([{") - (token.string in ")]}")


def _is_same(function: FunctionNode, source: str) -> bool:
    tree = parse(source)
    return tree is not None and [ast.dump(s) for s in tree.body] == [ast.dump(function)]
