"""The tests themselves: pytest imports their files by name alone, so no two may share one."""

from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def test_no_two_files_of_tests_have_the_same_name():
    names = Counter(file.name for file in TESTS.rglob("*.py") if file.name not in ("__init__.py", "conftest.py"))
    shared = [name for name, count in names.items() if count > 1]
    assert not shared, f"rename one of each: {shared}"
