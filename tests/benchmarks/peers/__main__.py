"""``python -m tests.benchmarks.peers``: see the package's text."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from service.campaign import load
from service.logos import RASTERS, ladder
from service.logos.render_recipe import encoders
from service.logos.smallest import probes
from service.logos.variant_request import VariantRules
from service.settings import shipped
from tests.parts.processes import wait_until

from . import compare, measure, write
from .cached import through_nginx
from .install import install
from .masters import masters, write_sources
from .quality import check
from .servers import Ours, cold_again, emblem, one_thumbor, peers

_DOCS = Path(__file__).resolve().parents[3] / "docs"
_INKS = {"blue": "0b5cad", "white": "ffffff"}


def main() -> None:
    """Measures, prints, and with ``--write`` puts the figures into docs/performance.md."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="length of each measurement of a rate")
    parser.add_argument("--turns", type=int, default=5, help="how often each cold variant is made, the least counts")
    parser.add_argument("--programs", type=Path, default=Path("var/peers"), help="where the peers are installed")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md and its charts")
    asked = parser.parse_args()
    check()
    versions = install(asked.programs.resolve())
    all_masters = masters()
    with tempfile.TemporaryDirectory(prefix="emblem-peers-") as name:
        folder = Path(name)
        write_sources(folder / "sources", all_masters, _INKS)
        with emblem(folder) as ours:
            _wait_for_common(ours)
            with peers(asked.programs.resolve(), folder, folder / "sources") as others:
                found = measure.bytes_at_quality(ours, others, all_masters)
                turns = []
                for _ in range(asked.turns):
                    with cold_again(ours, (*measure.COLD_WIDTHS, measure.COLD_WIDTHS[0] - 1)) as fresh:
                        turns.append(measure.cold(fresh, others, all_masters))
                cold = measure.least(turns)
                larger = measure.cold(ours, (), all_masters, measure.LARGE_WIDTHS)
                sent = measure.sent(ours, all_masters)
            with one_thumbor(asked.programs.resolve(), folder, folder / "sources", keep=True) as (thumbor, _):
                urls = {
                    "Emblem": ours.url(all_masters[0], 256, "webp"),
                    "thumbor": f"{thumbor}/unsafe/256x0/filters:format(webp)/{all_masters[0].name}.svg",
                }
                warm = measure.warm(urls, asked.seconds)
            path = ours.url(all_masters[0], 256, "webp").removeprefix(ours.base)
            cached, static, all_hits = through_nginx(ours, path, folder, asked.seconds / 2)
    medians = compare.cold_medians(cold)
    bars = [*compare.byte_bars(found), *compare.auto_bars(sent), *compare.cold_bars(medians)]
    for number, (what, limit) in enumerate((("warm, against thumbor", 2.0), ("304, against thumbor", 2.0))):
        bars.append(compare.at_least(what, warm["Emblem"][number] / warm["thumbor"][number], limit))
    about = (
        f"Measured on {datetime.now(UTC):%d %B %Y}, {os.cpu_count()} cores, beside ipx {versions['ipx']}, thumbor"
        f" {versions['thumbor']} and the image filter of nginx {versions['nginx']}; ours with {encoders()}."
        f" Of each cold variant the least time of {asked.turns} turns counts."
    )
    bars.append(compare.at_least("nginx's cache, against the same before files", cached / static, 0.95))
    bars.append(compare.Bar("nginx's cache, every second request", "HIT" if all_hits else "not all", "HIT", all_hits))
    text = "\n\n".join(
        [
            about,
            write.bars_table(bars),
            write.bytes_table(found),
            write.auto_table(sent),
            write.cold_table(medians),
            write.processor_table(compare.processor_means(cold)),
            write.table(
                ("warm, requests a second of one process", "200", "304"),
                [
                    *((program, f"{whole:.0f}", f"{unchanged:.0f}") for program, (whole, unchanged) in warm.items()),
                    ("nginx's cache before Emblem", f"{cached:.0f}", ""),
                    ("nginx's cache before files", f"{static:.0f}", ""),
                ],
            ),
        ]
    )
    print(text)
    if asked.write:
        write.replace(_DOCS / "performance.md", text)
        write.charts([*cold, *larger], _DOCS)
    sys.exit(0 if all(bar.holds for bar in bars) else 1)


def _wait_for_common(ours: Ours) -> None:
    """Until the common widths and the probes are made, which the server does in the background after its start."""
    campaign = load(shipped("policies"), shipped("assets"))
    rules = VariantRules(dict(campaign.logos), campaign.brand)
    expected = len(RASTERS) * sum(
        len(logo.colourways)
        * len({*ladder.common(rules.minimum(name)), *probes(rules.minimum(name), rules.largest(name))})
        for name, logo in campaign.logos.items()
    )

    def made() -> bool:
        return sum(1 for _ in ours.demo.folder.rglob("variants/*/*/*/*")) >= expected

    wait_until(made, 1800, "the common widths are made", every=0.5)


if __name__ == "__main__":
    main()
