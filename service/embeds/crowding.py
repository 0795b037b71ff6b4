"""Bounds on what one embed can write into the ledger in one hour; the rest is summed as ``other``.

Whoever knows an embed's key can send any site in ``Origin`` and ask for any variant, and entries are there for ever.
So at most 200 sites of an embed and hour are named, and at most 300 pairs of a site and a variant; views beyond
those count for the site ``other``, and for the variant ``other`` of their site. Those that are named are the ones with
most views, however many others came first: a site that is not named is watched, and takes a name of its own once it
was seen often.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

ORIGINS = 200  # different sites that an embed has in an hour under their names
PAIRS = 300  # different pairs of a variant and a site that it has under their names
OTHER = "other"
OFTEN = 10  # views by which a site that came when all names were taken gets one all the same
MOST_NAMED = 1000  # sites that one process names so in an hour at most; of them the 200 with most views are entered
_WATCHED = 1000  # sites whose views are counted although they are not named

Use = tuple[str, str]  # variant, origin ("" for none)


class Crowd:
    """Sites and variants named of one embed and hour: admits views as they come.

    First come, first named; with ``watching``, who comes often is named too, though all names are taken.
    """

    def __init__(self, listed: Collection[str], named: Collection[Use] = (), *, watching: bool = False) -> None:
        self._watched: dict[str, int] | None = {} if watching else None
        self._listed: Collection[str] = ()
        self._kept_free = 0
        self._origins = {origin for _, origin in named} - {"", OTHER}
        self._pairs = {use for use in named if use[0] != OTHER}
        self.list_anew(listed)

    def list_anew(self, listed: Collection[str]) -> None:
        """Take another list of the embed's own sites: they are named, however late they come."""
        if listed != self._listed:
            self._listed = listed
            self._kept_free = len(set(listed) - self._origins)

    def admit(self, variant: str, origin: str) -> Use:
        """Return the names under which a view is counted."""
        use = variant, self.admit_origin(origin)
        if use in self._pairs:
            return use
        if len(self._pairs) >= PAIRS:
            return OTHER, use[1]
        self._pairs.add(use)
        return use

    def admit_origin(self, origin: str) -> str:
        """Return the name under which a site is counted."""
        if origin in self._origins or origin in ("", OTHER):
            return origin
        listed = origin in self._listed
        if listed:
            self._kept_free -= 1
        full = len(self._origins) + self._kept_free >= ORIGINS
        if full and not (listed and self._watched is not None) and not self._comes_often(origin):
            return OTHER
        self._origins.add(origin)
        return origin

    def _comes_often(self, origin: str) -> bool:
        """Count a view of a site that has no name, and tell whether it is to have one from now on.

        Views are counted as Misra and Gries do ("Finding repeated elements", 1982): where too many sites are watched,
        each loses one, so that whoever is among the most seen is still there at the end.
        """
        if self._watched is None or len(self._origins) >= MOST_NAMED:
            return False
        seen = self._watched.get(origin, 0) + 1
        if seen >= OFTEN:
            self._watched.pop(origin, None)
            return True
        if seen > 1 or len(self._watched) < _WATCHED:
            self._watched[origin] = seen
        else:
            self._watched = {site: views - 1 for site, views in self._watched.items() if views > 1}
        return False


def named_by_views(listed: Collection[str], named: Collection[Use], uses: Mapping[Use, int]) -> dict[Use, int]:
    """Return counts under the names that they are entered with.

    ``named`` are the names that earlier entries of the hour have; they are used on. Then come the embed's own
    sites, then the sites and pairs with most views.
    """
    views: dict[str, int] = {}
    for (_, origin), number in uses.items():
        views[origin] = views.get(origin, 0) + number
    crowd = Crowd([origin for origin in listed if origin in views], named)

    by_views = sorted(views, key=lambda origin: (origin not in listed, -views[origin], origin))
    site_of = {origin: crowd.admit_origin(origin) for origin in by_views}
    merged: dict[Use, int] = {}
    for (variant, origin), number in uses.items():
        use = variant, site_of[origin]
        merged[use] = merged.get(use, 0) + number
    entered: dict[Use, int] = {}
    for use in sorted(merged, key=lambda use: (use[1] not in listed, -merged[use], use)):
        name = crowd.admit(*use)
        entered[name] = entered.get(name, 0) + merged[use]
    return dict(sorted(entered.items()))
