"""Defects of ``parties.csv``."""

from __future__ import annotations

from .defect import Defect

SOURCE = (
    '"UNTC table as scraped in github zmjones/untreaties treaties/18-12-a.csv '
    '(commit 003ce13, file last updated 2014-01-27)"'
)
ANDORRA = "AD,Andorra,party,2022-09-21"
DEFECTS = (
    Defect("column_missing", "code,name_in_source,", "code,", "columns", "first line", "code,status"),
    Defect("status_of_party_unknown", ANDORRA, "AD,Andorra,friend,2022-09-21", "'friend'", "party", "friend"),
    Defect("code_in_small_letters", ANDORRA, "ad,Andorra,party,2022-09-21", "'ad'", "upper case", "ad,And"),
    Defect("code_of_nowhere", ANDORRA, "ZZ,Andorra,party,2022-09-21", "'ZZ'", "ISO 3166", "ZZ,And"),
    Defect("state_twice", ANDORRA, "AE,Andorra,party,2022-09-21", "AE stands in line 2", "one of", "AE,United"),
    Defect("day_that_does_not_exist", ANDORRA, "AD,Andorra,party,2022-02-30", "2022-02-30", "YYYY-MM-DD", "02-30"),
    Defect(
        "comma_not_quoted", ANDORRA, "AD,Andorra, Principality,party,2022-09-21", "11 cells", "quotes", "Principality"
    ),
    Defect("quote_in_a_cell", "Andorra,", '"Andorra"x,', "valid CSV", "quotes", '"Andorra"x'),
    Defect("decides_perhaps", "accession,yes", "accession,perhaps", "'perhaps'", "yes", "perhaps"),
    Defect(
        "status_without_source",
        f"{SOURCE},high",
        ",high",
        "no source",
        "Add",
        "AE,",
    ),
    Defect(
        "convention_without_source",
        "accession,yes,,",
        "accession,yes,party,",
        "convention has no source",
        "Add",
        "yes,party",
    ),
)
