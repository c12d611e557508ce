"""What MkDocs adds while it builds: the changelog, the list of decisions, screenshots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add CHANGELOG.md, which stands beside the README, where packages have it."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "changelog.md", content=changelog.replace("](docs/", "](")))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, **_: object) -> str:
    """List all decisions on their first page, and show the screenshots that were made."""
    docs = Path(config.docs_dir)
    if page.file.src_uri == "decisions/index.md":
        return f"{markdown}\n{decisions(docs)}"
    if page.file.src_uri == "how-to/look-at-the-dashboard.md":
        return f"{markdown}\n{screenshots(docs)}"
    return markdown


def decisions(docs: Path) -> str:
    """Return the list of decisions, the newest first."""
    rows = []
    for path in sorted((docs / "decisions").glob("0*.md"), reverse=True):
        heading, _, _ = path.read_text(encoding="utf-8").partition("\n")
        number, _, title = heading.removeprefix("#").strip().partition(" ")
        rows.append(f"- [{number.strip(':.').zfill(4)} {title}]({path.name})\n")
    return "".join(rows)


def screenshots(docs: Path) -> str:
    """Return the pictures of `python -m docs.screenshots`; "" where none were made."""
    pictures = [
        f"\n### /{path.stem.partition('-')[2]}\n\n![{path.stem}](../pictures/pages/{path.name})\n"
        for path in sorted((docs / "pictures" / "pages").glob("*.png"))
    ]
    about = "\n## What it looks like\n\nThe bot and its trades are invented.\n"
    return "".join([about, *pictures]) if pictures else ""
