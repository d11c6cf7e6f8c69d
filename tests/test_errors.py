"""Every error that a person can act on has a code, and every code has a sentence in error_sentences.txt."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.errors import known_lines

CHECKOUT = Path(__file__).parent.parent
PACKAGES = ("rules", "resources", "asset_checks", "productpulse_assets", "dashboard")
CODE = re.compile(r"[a-z][a-z_]*\.[a-z][a-z0-9_]*")


@cache
def modules() -> dict[str, ast.Module]:
    """The program's modules, parsed, by their path."""
    paths = [path for package in PACKAGES for path in (CHECKOUT / package).rglob("*.py")]
    return {str(path.relative_to(CHECKOUT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@cache
def error_classes() -> frozenset[str]:
    """ProductPulseError and what derives from it."""
    classes = [node for tree in modules().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = {"ProductPulseError"}
    while more := {each.name for each in classes if {ast.unparse(base) for base in each.bases} & found} - found:
        found |= more
    return frozenset(found)


@cache
def codes() -> dict[str, str]:
    """Each code in the program, with a place where an error of it is made."""
    found = {}
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in error_classes():
                for code in ast.walk(node.args[0]) if node.args else ():
                    if isinstance(code, ast.Constant) and isinstance(code.value, str):
                        found[code.value] = f"{path}:{node.lineno}"
    return found


@cache
def texts() -> frozenset[str]:
    """Every text in the program: some errors get their code from where the mistake was found."""
    nodes = (node for tree in modules().values() for node in ast.walk(tree))
    return frozenset(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_codes_have_one_form():
    assert codes()
    assert [f"{place}: {code}" for code, place in codes().items() if not CODE.fullmatch(code)] == []


def test_every_code_has_a_sentence_that_a_test_raises():
    tested = {line.split("\t")[0] for line in known_lines()}
    assert {code: place for code, place in codes().items() if code not in tested} == {}
    assert tested - texts() == set()


@pytest.mark.parametrize("path", sorted(modules()))
def test_no_error_is_recognised_by_the_name_of_its_class(path):
    compared = [
        ast.unparse(node)
        for node in ast.walk(modules()[path])
        if isinstance(node, ast.Compare) and re.search(r"cls_name|type\(\w+\)\.__name__", ast.unparse(node))
    ]
    assert compared == []
