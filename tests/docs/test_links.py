"""Links lead somewhere: files, headings, paths that are named; and every document is reached from the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *sorted(DOCS.glob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:protocols|groundstation|hil|tests|tools|docs|benchmarks|udev)/[\w./-]+)`")

OWN = {"tests/test_los.py"}
"""Paths in the reader's own project, which a document has them make."""


def prose(path: Path) -> str:
    return re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them, and those that are written out."""
    text = prose(path)
    names: dict[str, int] = {}
    found = set(re.findall(r'<a id="([^"]+)">', text))
    for heading in re.findall(r"^#+ (.+)$", text, re.M):
        plain = re.sub(r"<[^>]+>|\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-")
        found.add(f"{slug}-{names[slug]}" if slug in names else slug)
        names[slug] = names.get(slug, 0) + 1
    return found


def targets(path: Path) -> list[tuple[Path, str]]:
    """What a document links to in this repository: file and anchor."""
    links = [link.partition("#") for link in LINK.findall(prose(path)) if "://" not in link]
    return [((path.parent / file).resolve() if file else path, anchor) for file, _, anchor in links]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings_from(path: Path) -> None:
    for target, anchor in targets(path):
        assert target.exists(), f"{path.name} links to {target.name}, which is not there"
        if anchor:
            assert anchor in anchors(target), f"{path.name}: {target.name} has no heading #{anchor}"


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if p.name != "CHANGELOG.md"], ids=lambda path: path.name)
def test_paths_that_are_named_exist_in(path: Path) -> None:
    missing = [
        name
        for name in PATH.findall(prose(path))
        if not (ROOT / name).exists() and "/build" not in name and name not in OWN
    ]
    assert not missing, f"{path.name} names {missing}"


def test_every_document_is_reached_from_the_index() -> None:
    seen, waiting = set(), [DOCS / "index.md"]
    while waiting:
        path = waiting.pop()
        if path not in seen and path.suffix == ".md" and path.exists():
            seen.add(path)
            waiting += [target for target, _ in targets(path)]
    assert set(DOCS.glob("*.md")) <= seen


def test_readme_fits_two_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 100
