"""What mkdocs does beside its own work (mkdocs.yml names this file).

<!-- reference: ObjectSync -->  → written from the code
<!-- output of make demo -->    → as the README has it
README, CONTRIBUTING, CHANGELOG → pages of the site
a link to a file that is no page → its path, since the site does not hold the sources
<img src="docs/graph.png">       → from where the page is in the site, which mkdocs does for Markdown's pictures only
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from mkdocs.structure.files import File, Files

from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.docs.reference import GENERATED
from kustomer_pipeline_tests.readme import shown_output

# Pages that stand beside docs/ and not in it → their place in the site.
BESIDE = {"README.md": "readme.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}

_REFERENCE = re.compile(r"<!-- reference: ([\w ]+) -->")
_DEMO = "<!-- output of make demo -->"
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_IMAGE = re.compile(r'(<img src=")([^":]+)(")')
_BLOCK = re.compile(r"(?ms)(^ *```.*?^ *```$)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that stand beside docs/."""
    for name, place in BESIDE.items():
        files.append(File.generated(config, place, content=(REPOSITORY / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Fill in the markers, and turn links from the repository's to the site's."""
    place = page.file.src_uri
    source = next((name for name, there in BESIDE.items() if there == place), f"docs/{place}")
    return with_links(with_generated(markdown, readme=source == "README.md"), source)


def with_generated(text: str, *, readme: bool = False) -> str:
    """The text with its markers filled in. The README holds the demo's output itself."""
    text = _REFERENCE.sub(lambda found: GENERATED[found[1]](), text)
    return text if readme else text.replace(_DEMO, f"```text\n{shown_output()}\n```")


def with_links(text: str, source: str) -> str:
    """Links of a page of the repository, as the site needs them."""
    here = posixpath.dirname(BESIDE.get(source, source.removeprefix("docs/")))

    def turned(found: re.Match[str]) -> str:
        picture, words, target = found.groups()
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        file, _, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), file))
        place = BESIDE.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else None)
        if place is None:  # a file of the sources: there if it exists, and no page
            if not (REPOSITORY / path).exists():
                return found[0]
            return f"{words} (`{path}`)" if words.strip("`/") not in path else f"`{path}`"
        link = posixpath.relpath(place, here or ".") + (f"#{anchor}" if anchor else "")
        return f"{picture}[{words}]({link})"

    def placed(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), found[2]))
        return found[1] + posixpath.relpath(path.removeprefix("docs/"), here or ".") + found[3]

    # Blocks of code stay as they are; the words of a link may be code.
    parts = _BLOCK.split(text)
    return "".join(part if n % 2 else _IMAGE.sub(placed, _LINK.sub(turned, part)) for n, part in enumerate(parts))
