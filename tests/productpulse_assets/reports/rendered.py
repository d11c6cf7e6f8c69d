"""Markdown as a renderer sees it: which tags there are, and what people read."""

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
"""What GitHub makes links, people or emoji of in finished text that is no code."""


class Page(HTMLParser):
    """The tags of a page in order, the text of each place, and what finished text would still become."""

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
        if tag != "code":  # data may stand as code
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
    """A report as people see it."""
    return Page(RENDERERS[renderer].render(markdown))
