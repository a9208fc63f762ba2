"""Hooks of the documentation site: pages outside docs/ join it, and links to them follow.

README.md becomes the home page. Other files that a page links to, such as an example script, are
copied into the site. Links keep the form that is right in the repository.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "MODEL_CARD.md": "model_card.md",
    "CHANGELOG.md": "changelog.md",
}
SOURCES = {site: source for source, site in PAGES.items()}
LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")


def site_path_of(path: str) -> str:
    """Return where a file of the repository lies in the site."""
    if path in PAGES:
        return PAGES[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else f"files/{path}"


def resolve_link(source: str, target: str) -> str:
    """Return the file of the repository to which a link of the page `source` leads."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))


def move_links(markdown: str, source: str) -> str:
    """Return the text of a page with its links as they are in the site."""
    folder = posixpath.dirname(site_path_of(source))

    def move(link: re.Match[str]) -> str:
        target = site_path_of(resolve_link(source, link[2]))
        return f"{link[1]}{posixpath.relpath(target, folder or '.')}{link[3]}"

    return LINK.sub(move, markdown)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages outside docs/, and every other file outside docs/ that a page links to."""
    sources = {f"docs/{file.src_uri}" for file in files.documentation_pages()} | set(PAGES)
    for source, site in PAGES.items():
        files.append(File.generated(config, site, content=(ROOT / source).read_text()))
    for source in sorted(sources):
        for link in LINK.finditer((ROOT / source).read_text()):
            path = resolve_link(source, link[2])
            site = site_path_of(path)
            if site.startswith("files/") and site not in files.src_uris and (ROOT / path).is_file():
                files.append(File.generated(config, site, content=(ROOT / path).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Move the links of a page."""
    uri = page.file.src_uri
    return move_links(markdown, SOURCES.get(uri, f"docs/{uri}"))
