from __future__ import annotations

import pytest

from clary.services.logs.errors import InvalidParameterException
from clary.services.logs.filter_pattern import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR", True),
        ("ERROR", "an error", False),
        ("ERROR ARGUMENTS", "ERROR of ARGUMENTS", True),
        ("ERROR ARGUMENTS", "ERROR", False),
        ('"INTERNAL SERVER ERROR"', "an INTERNAL SERVER ERROR", True),
        ('"INTERNAL SERVER ERROR"', "INTERNAL ERROR", False),
        ('"a \\"b\\""', 'a "b"', True),
        ("?ERROR ?WARN", "WARN", True),
        ("?ERROR ?WARN", "INFO", False),
        ("?ERROR INFO", "INFO", True),
        ("ERROR -ARGUMENTS", "ERROR", True),
        ("ERROR -ARGUMENTS", "ERROR ARGUMENTS", False),
        ("-DEBUG", "INFO", True),
        ('-"two words"', "two words", False),
        ("%[45][0-9]{2}%", "status 503", True),
        ("%^start%", "no start", False),
        ('{ $.eventType = "UpdateTrail" }', '{"eventType": "UpdateTrail"}', True),
        ('{ $.eventType = "Update*" }', '{"eventType": "UpdateTrail"}', True),
        ('{ $.eventType != "UpdateTrail" }', '{"eventType": "UpdateTrail"}', False),
        ('{ $.eventType != "UpdateTrail" }', "{}", False),
        ("{ $.eventType = UpdateTrail }", '{"eventType": "UpdateTrail"}', True),
        ('{ $.a[0] = "x" }', '{"a": ["x", "y"]}', True),
        ('{ $.a[*].b = "y" }', '{"a": [{"b": "x"}, {"b": "y"}]}', True),
        ('{ $["a b"].c = 1 }', '{"a b": {"c": 1}}', True),
        ("{ $.n > 3 }", '{"n": 4}', True),
        ("{ $.n >= 4.5 }", '{"n": 4}', False),
        ("{ $.n = 4e0 }", '{"n": 4}', True),
        ("{ $.n = 1 }", '{"n": true}', False),
        ("{ $.x IS NULL }", '{"x": null}', True),
        ("{ $.x IS TRUE }", '{"x": true}', True),
        ("{ $.x IS FALSE }", '{"x": 0}', False),
        ("{ $.x NOT EXISTS }", '{"y": 1}', True),
        ("{ $.x NOT EXISTS }", '{"x": null}', False),
        ("{ $.x = %^ab% }", '{"x": "abc"}', True),
        ("{ ($.a = 1 && $.b = 2) || $.c = 3 }", '{"a": 1, "b": 3, "c": 3}', True),
        ("{ $.a = 1 && ($.b = 2 || $.c = 3) }", '{"a": 2, "b": 2}', False),
        ("{ $.a = 1 }", "not JSON", False),
        ("[ip, user, status = 404]", "1.2.3.4 ann 404", True),
        ("[ip, user, status = 404]", "1.2.3.4 ann 200", False),
        ("[ip, user, status = 404]", "1.2.3.4 404", False),
        ("[ip, user, status = 4*]", "1.2.3.4 ann 404", True),
        ("[..., status = 4*, bytes]", '1.2.3.4 - ann [10/Oct/2000:13:25:15 -0700] "GET / HTTP/1.0" 404 1534', True),
        ("[..., status = 4*, bytes]", '1.2.3.4 - ann [10/Oct/2000:13:25:15 -0700] "GET / HTTP/1.0" 200 404', False),
        ('[ip, id, user, time, request = "*html*", status, bytes > 1000]', '- - - [a b] "GET /x.html" 2 1534', True),
        ('[ip, id, user, time, request = "*html*", status, bytes > 1000]', '- - - [a b] "GET /x.html" 2 999', False),
        ("[w1 = ERROR || w1 = WARN, ...]", "WARN of many things", True),
        ("[w1 = ERROR || w1 = WARN, ...]", "INFO of many things", False),
        ("[w1 != INFO && w1 != DEBUG, ...]", "ERROR x", True),
        ("[w1 != INFO && w1 != DEBUG, ...]", "DEBUG x", False),
        ("[w1 = %E[A-Z]+%, w2]", "ERROR x", True),
        ("[first, ..., last = x]", "x", False),
        ("[...]", "anything at all", True),
        ("[, , x = 3]", "1 2 3", True),
    ],
)
def test_patterns(pattern: str, message: str, expected: bool) -> None:
    assert compile_pattern(pattern)(message) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.a }",
        "{ $.a = }",
        "{ a = 1 }",
        "{ $.a = 1",
        "{ ($.a = 1 }",
        "{ $.a < x }",
        "%(a+)+%",
        "%[%",
        '"a',
        "[a",
        "[a = ]",
        "[$.a = 1]",
        "[a < x]",
        "[..., b, ...]",
        "[a b]",
        '[a = "x]',
        "[a IS NULL]",
    ],
)
def test_invalid_patterns(pattern: str) -> None:
    with pytest.raises(InvalidParameterException):
        compile_pattern(pattern)
