"""Plain isolation: the job is an ordinary process of this user, so it is for one trusted person."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clary.compute.agent.folder import JobFolder

_BEFORE = " \t\n=:,;\"'[({"
_AFTER = "/ \t\n:,;\"'])}"

NAMELESS = (
    "Under plain isolation the names of the job's hosts lead nowhere: a process finds the others at 127.0.0.1 alone."
)
NOTE = (
    "This job runs under plain isolation: it is no sandbox, and its code can do whatever the user who started"
    " Clary can."
)


class Plain:
    """No sandbox. Container paths in arguments and variables become those of the job's folder."""

    name = "plain"
    sandboxed = False

    def available(self) -> tuple[bool, str]:
        return True, ""

    def options(self) -> list[str]:
        return []

    def refusal(self, folder: JobFolder) -> str:
        if not folder.spec.network:
            return (
                "Network isolation was asked for, and plain isolation cannot give it. Install bubblewrap (`apt"
                " install bubblewrap`) and"
                " set isolation to auto or bubblewrap, or run the job without network isolation."
            )
        return ""

    def shown(self, folder: JobFolder, path: str) -> str:
        return self._rewrite(folder, path)

    def command(
        self, folder: JobFolder, command: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str], str, dict[int, str]]:
        values = {name: self._rewrite(folder, value) for name, value in environment.items()}
        values["CLARY_ML_ROOT"] = folder.ml
        values["TMPDIR"] = folder.tmp
        values["HOME"] = environment.get("HOME", "/tmp") if environment.get("HOME") != "/tmp" else folder.tmp
        package = folder.file("opt")
        if folder.place.runtimes and not os.path.islink(os.path.join(package, "clary_runtimes")):
            os.makedirs(package, exist_ok=True)  # the package alone: its neighbours are none of the job's business
            os.symlink(folder.place.runtimes, os.path.join(package, "clary_runtimes"))
        arguments = [self._rewrite(folder, word) for word in command]
        program = find_program(arguments[0], values.get("PATH", ""), folder.ml)
        if not os.access(program, os.X_OK):
            raise FileNotFoundError(2, "No such file or directory", program)
        prefix = []
        if sys.platform == "linux" and (setpriv := find_program("setpriv", "/usr/bin:/bin", "/")).startswith("/"):
            prefix = [setpriv, "--pdeathsig", "KILL", "--"]  # dies with its agent
        return [*prefix, program, *arguments[1:]], values, folder.ml, {}

    def main_process(self, process: int) -> int | None:
        return process

    def _rewrite(self, folder: JobFolder, text: str) -> str:
        if "/" not in text:
            return text
        own = (("/opt/clary", folder.file("opt")), ("/run/clary", folder.run))
        # Volumes first: one that lies below another folder is not found any more when that one has been replaced.
        for name, path in (*folder.place.volumes.items(), *folder.mounts.items(), *own):
            if name in text:
                text = replace_path(text, name, path)
        return text


def replace_path(text: str, name: str, path: str) -> str:
    """``text`` with the path ``name`` replaced where it begins and ends as a path does: not inside another path or a
    URI."""
    first, *rest = text.split(name)
    pieces = [first]
    before = first[-1:]
    for piece in rest:
        whole = (not before or before in _BEFORE) and (not piece or piece[0] in _AFTER)
        pieces += [path if whole else name, piece]
        before = piece[-1:] or name[-1]
    return "".join(pieces)


def find_program(name: str, path: str, folder: str) -> str:
    """The absolute path of a program, as a shell finds it; ``name`` itself if there is none."""
    if "/" in name:
        return os.path.normpath(os.path.join(folder, name))
    for each in path.split(":"):
        candidate = os.path.join(each, name)
        if each.startswith("/") and os.access(candidate, os.X_OK) and not os.path.isdir(candidate):
            return candidate
    return name
