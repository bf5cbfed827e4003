"""Makes a results page of the docs from a finished run: its tables, verdicts and figures, with the command behind them.

    .venv/bin/python tools/results_page.py RUN_DIRECTORY

Run `catallax report RUN_DIRECTORY` first. Writes docs/results/<experiment>.md and its pictures beside it.
"""

import json
import shutil
import sys
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"


def main(run: Path) -> None:
    """Copies report.md, with pictures renamed to the page's own folder."""
    summary = json.loads((run / "summary.json").read_text())
    manifest = json.loads((run / "manifest.json").read_text())
    name = summary["experiment"].replace(".", "_")
    folder = RESULTS / name
    folder.mkdir(parents=True, exist_ok=True)
    for picture in sorted((run / "figures").glob("*.png")):
        shutil.copyfile(picture, folder / picture.name)
    page = (run / "report.md").read_text().replace("](figures/", f"]({name}/")
    attempt = manifest.get("attempts", [{}])[-1]
    versions = ", ".join(f"{k} {v}" for k, v in sorted(attempt.get("versions", {}).items()))
    scale = summary.get("scale", "?")
    head, _, rest = page.partition("\n")
    seed = f" --seed {summary['seed']}" if summary.get("seed") else ""
    command = f"`catallax reproduce {summary['experiment']} --scale {scale}{seed}`"
    (RESULTS / f"{name}.md").write_text(f"{head}\n\nMade by {command} with {versions}.\n{rest}")
    print(RESULTS / f"{name}.md")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
