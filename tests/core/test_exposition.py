"""Numbers as Prometheus reads them."""

from __future__ import annotations

import re

from clary.core.exposition import Family, Sample, labelled, plain, read, render, single, usage

LABEL = r'[a-z_]+="(?:[^"\\\n]|\\["\\n])*"'
LINE = re.compile(rf"^[a-z_]+(?:\{{{LABEL}(?:,{LABEL})*\}})? -?[0-9.e+-]+$")


def test_every_line_is_of_the_format() -> None:
    hostile = Family("clary_x", "gauge", "a\\b\nc", [Sample({"name": 'q"\\\n}'}, 0.25), Sample({}, 7.0)])
    text = render([hostile, *labelled(usage(), process="edge")]).decode()
    assert text.endswith("\n")
    assert "# HELP clary_x a\\\\b\\nc\n# TYPE clary_x gauge\n" in text
    assert 'clary_x{name="q\\"\\\\\\n}"} 0.25\nclary_x 7\n' in text
    for line in text.splitlines():
        assert line.startswith("# ") or LINE.match(line), line


def test_families_of_one_name_are_one() -> None:
    families = [
        *labelled([single("clary_x", "gauge", "X.", 1)], process="a"),
        *labelled([single("clary_x", "gauge", "X.", 2)], process="b"),
    ]
    text = render(families).decode()
    assert text.count("# TYPE clary_x gauge") == 1
    assert text.splitlines()[2:] == ['clary_x{process="a"} 1', 'clary_x{process="b"} 2']


def test_families_reach_another_process_whole() -> None:
    family = Family("clary_s", "histogram", "S.", [Sample({"le": "+Inf"}, 3, "_bucket"), Sample({}, 0.5, "_sum")])
    assert read(plain([family])) == [family]
