"""Markdown as a renderer shows it: its tags and its text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import unquote

from markdown_it import MarkdownIt

RENDERERS = {
    "CommonMark": MarkdownIt("commonmark"),
    "GitHub": MarkdownIt("commonmark").enable(["table", "strikethrough"]),
}
FINDS_LINKS = re.compile(r"https?://[-.\w]+|www\.[-.\w]+|[-.\w+]+@[-\w]+\.[-\w]+|:[a-z_]+:|(?<![\w`])@\w+")
"""What GitHub turns into links, mentions or emoji in rendered text outside code."""


class Page(HTMLParser):
    """The tags, links, anchors and text of a page, and what GitHub would turn into links, mentions or emoji (`found`)."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.found: list[str] = []
        self.text = ""
        self._code = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self._code += tag == "code"
        if tag != "code":  # data can be shown as code
            self.tags.append(tag)
        self.links += [unquote(values["href"])] if "href" in values else []
        self.anchors += [values["id"]] if "id" in values else []

    def handle_endtag(self, tag):
        self._code -= tag == "code"

    def handle_data(self, data):
        self.text += data
        if not self._code:
            self.found += FINDS_LINKS.findall(data)


def page(markdown: str, renderer: str = "GitHub") -> Page:
    """A report as it is shown."""
    return Page(RENDERERS[renderer].render(markdown))
