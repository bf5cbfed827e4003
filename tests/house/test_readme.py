"""The code a reader sees runs as it stands, and the runner of that code can fail."""

import re
from pathlib import Path

import pytest
from blocks import PageError, read_blocks, run_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_the_page_runs(page: Path, tmp_path: Path) -> None:
    run_page(page, tmp_path, str(page.relative_to(ROOT)))


def test_readme_shows_code_and_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert any(block.kind == "python" for block in read_blocks("README.md", text))
    assert re.search(r"^(\$ )?python3 go\.py( *#.*)?$", text, re.M)
    assert re.search(r"^(\$ )?python3 go\.py test( *#.*)?$", text, re.M)


def test_ci_runs_the_readme_test_command() -> None:
    assert re.search(r"python3 go\.py test", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))


def test_links_to_files_lead_somewhere() -> None:
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            if not re.match(r"[a-z]+:|#", target):
                assert (page.parent / target.split("#")[0]).exists(), f"{page.name} links to {target}"


def page(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_blocks_share_the_folder_but_not_their_names(tmp_path: Path) -> None:
    text = """
```python
# file: shop.py
price = 3
```
Words between.

~~~python
import shop
print(shop.price, __name__)
~~~
1. In a list:
   ```python
   print("shop" in globals())
   ```
"""
    assert run_page(page(tmp_path, text), tmp_path) == ["", "3 __main__\n", "False\n"]


def test_blocks_that_share_a_process_do_not_share_precision_or_arguments(tmp_path: Path) -> None:
    text = """
```python
import sys, os
import jax
jax.config.update("jax_enable_x64", True)
os.write(1, b"written past Python, ")
print(sys.argv, file=sys.stderr)
```
```python
import jax
print(jax.config.jax_enable_x64)
```
"""
    first, second = run_page(page(tmp_path, text), tmp_path)
    assert "written past Python" in first and "['block_at_line_2.py']" in first and second == "False\n"


def test_console_and_bash_run_only_when_marked(tmp_path: Path) -> None:
    text = """
```console
$ exit 1
```

<!-- run -->

```console
$ python -c 'print(1 +\\
> 1)'
a line of output, which is not run
$ echo done
```
<!-- run -->
```bash
echo one > file
cat file
```
<!-- run -->
The mark is for a block, and these words end it.
```bash
exit 1
```
"""
    assert run_page(page(tmp_path, text), tmp_path) == ["2\ndone\n", "one\n"]


def test_other_languages_are_not_run() -> None:
    assert read_blocks("p", "```text\nx\n```\n```\ny\n```\n<!-- no run: shape only -->\n```python\n1/0\n```\n") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "\n```python\n1 / 0\n```\n",
            r"page.md:2: .* failed \(exit code 1\):(?s:.)*ZeroDivision",
        ),
        ("```python\nx = 1\n```\n```python\nx\n```\n", "page.md:4: (?s:.)*NameError"),
        ("```python\nx = 1\n```\n```python\nimport sys\nsys.exit(3)\n```\n", r"page.md:4: .*\(exit code 3\)"),
        ("<!-- run -->\n```console\n$ false\n$ true\n```\n", "page.md:2: this block failed"),
        ("<!-- run -->\n```console\nfalse\n```\n", "page.md:2: no command"),
        ("```python\nx = 1\n", "page.md:1: this block is never closed"),
        ("<!-- run -->\n```text\nx\n```\n", "page.md:2: only python, console and bash"),
        ("<!-- no run -->\n```python\nx\n```\n", "page.md:2: give the reason"),
    ],
)
def test_what_is_wrong_fails_and_says_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PageError, match=message):
        run_page(page(tmp_path, text), tmp_path)
