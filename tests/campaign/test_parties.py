"""The table of parties."""

from __future__ import annotations

from service.campaign import Campaign
from service.campaign.parties import convention_status, protocol_status


def test_the_table_has_every_row_with_source_and_confidence(campaign: Campaign) -> None:
    rows = campaign.parties.values()
    assert len(rows) == 198
    assert sum(row.status == "party" for row in rows) == 181
    assert {row.code for row in rows if not row.decides} == {"IR", "KP", "MH", "SD", "VA"}
    assert all(row.source and row.confidence and row.line > 1 for row in rows)


def test_only_a_row_that_decides_says_anything(campaign: Campaign) -> None:
    parties = campaign.parties
    assert protocol_status(parties["AT"]) == "party"
    assert protocol_status(parties["CG"]) == "signatory"
    assert protocol_status(parties["TO"]) == "none"
    assert parties["SD"].status == "party"
    assert protocol_status(parties["SD"]) == "unknown"
    assert protocol_status(parties.get("AQ")) == "unknown"


def test_only_the_european_union_is_known_as_party_to_the_convention(campaign: Campaign) -> None:
    known = [code for code, row in campaign.parties.items() if convention_status(row) == "party"]
    assert known == ["EU"]
    assert convention_status(None) == "unknown"
