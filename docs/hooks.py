"""What MkDocs adds while it builds the site: the changelog, and the list of decisions."""

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
    """List all decisions on their first page, the newest first."""
    if page.file.src_uri != "decisions/index.md":
        return markdown
    rows = []
    for path in sorted((Path(config.docs_dir) / "decisions").glob("0*.md"), reverse=True):
        heading, _, _ = path.read_text(encoding="utf-8").partition("\n")
        number, _, title = heading.removeprefix("#").strip().partition(" ")
        rows.append(f"- [{number.strip(':.').zfill(4)} {title}]({path.name})\n")
    return markdown + "\n" + "".join(rows)
