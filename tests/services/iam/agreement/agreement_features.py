"""What occurs in the cases of the comparison."""

from __future__ import annotations

import re

from agreement_requests import OWN, Document


def features_of(statement: Document) -> set[str]:
    seen = {f"effect {statement['Effect']}"} | {name for name in statement if name.startswith("Not")}
    for operator, entries in statement.get("Condition", {}).items():
        quantifier, _, rest = operator.rpartition(":")
        seen |= {f"operator {rest.removesuffix('IfExists')}", f"quantifier {quantifier}"}
        if rest.endswith("IfExists"):
            seen.add("IfExists")
        if "${" in str(entries):
            seen.add("variable in a condition")
    for member in ("Resource", "NotResource"):
        text = str(statement.get(member, ""))
        seen |= {f"{what} in a resource" for what, sign in _SIGNS.items() if re.search(sign, text)}
    for member in ("Principal", "NotPrincipal"):
        if member in statement:
            text = str(statement[member])
            seen |= {f"principal {what}" for what, sign in _PRINCIPALS.items() if sign in text}
    return seen


_SIGNS = {
    "*": r"[^{]\*",
    "?": r"\?",
    "variable": r"\$\{aws",
    "default": r"\$\{[^}]*, \'",
    "literal *": r"\$\{\*\}",
}
_PRINCIPALS = {
    "*": "*",
    "account": f"'{OWN}'",
    "root": ":root",
    "user": ":user/",
    "role": ":role/",
    "session": ":assumed-role/",
    "service": ".amazonaws.com",
}
