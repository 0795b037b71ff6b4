"""Registry of what a drawing refers to: numbered while it is resolved, named in the end.

An id of the file is a name and nothing else; only ids of ours are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .drawing import Node
from .numbers import short

_URL = re.compile(r"url\(#(\d+)\)")


class Registry:
    """The gradients, clips and masks of one drawing."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._boxes: dict[tuple[float, float, float, float], str] = {}

    def add(self, node: Node) -> str:
        """The reference to a new resource."""
        self._nodes.append(node)
        return f"url(#{len(self._nodes) - 1})"

    def clip_to(self, box: tuple[float, float, float, float]) -> str:
        """The reference to a clip to a box (left, top, width, height), as nested drawings have it."""
        if box not in self._boxes:
            sides = dict(zip(("x", "y", "width", "height"), box, strict=True))
            given = {name: short(side) for name, side in sides.items() if side}
            self._boxes[box] = self.add(Node("clipPath", {}, [Node("rect", given)]))
        return self._boxes[box]

    def named(self, body: list[Node], root: dict[str, str]) -> tuple[list[Node], list[Node]]:
        """The resources that the drawing refers to and its body, with ids ``a``, ``b``, ``c`` … by first use."""
        names: dict[int, str] = {}
        order: list[int] = []

        def visit(values: Iterator[str]) -> None:
            for value in values:
                for match in _URL.finditer(value):
                    number = int(match[1])
                    if number not in names:
                        names[number] = _name(len(names))
                        order.append(number)
                        visit(text for node in self._nodes[number].walk() for text in node.attributes.values())

        visit(iter(root.values()))
        visit(text for node in body for part in node.walk() for text in part.attributes.values())
        found = [self._nodes[number] for number in order]
        for number in order:
            node = self._nodes[number]
            node.attributes = {"id": names[number], **node.attributes}
        for given in [root, *(part.attributes for node in [*found, *body] for part in node.walk())]:
            for name, value in given.items():
                given[name] = _URL.sub(lambda match: f"url(#{names[int(match[1])]})", value)
        return found, body

    def _add(self, node: Node) -> str:
        self._nodes.append(node)
        return f"url(#{len(self._nodes) - 1})"


def _name(number: int) -> str:
    """Counts in letters: ``a`` to ``z``, then ``aa``."""
    text = ""
    while True:
        number, digit = divmod(number, 26)
        text = chr(ord("a") + digit) + text
        if not number:
            return text
        number -= 1
