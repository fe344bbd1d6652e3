"""The places in which jobs run, of which there are only so many, and the line of those that wait for one.

The next place goes to the highest priority; among those to whoever has the fewest hosts running; and of his jobs to the
one that has waited longest. It is kept for the first job of the line until there is enough for it, so that large jobs
are not overtaken for ever. What one place costs does not depend on how many wait.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, bindparam, delete, func, insert, select, update

from clary.state.session import Prepared, Session
from clary.state.tables import places, resources

_P = places.c

_has = Prepared(select(_P.running).where(_P.row == bindparam("of")))
_addition = Prepared(insert(places).values({each.name: bindparam(each.name) for each in _P}))
_removal = Prepared(delete(places).where(_P.row == bindparam("of")))
_giving = Prepared(update(places).where(_P.row == bindparam("of")).values(running=1))
_waking = Prepared(
    update(resources)
    .where(resources.c.id.in_(bindparam("rows", expanding=True)))
    .values(wake_at=bindparam("now"), version=resources.c.version + 1)
)
_taken = Prepared(select(_P.share, func.sum(_P.hosts)).where(_P.running == 1).group_by(_P.share))
_highest = Prepared(select(func.max(_P.priority)).where(_P.running == 0))


def _fronts() -> Select[tuple[int, str, int]]:
    """The job of each share that has waited longest, of those with one priority.

    The shares are looked up one after the other in the index: those who wait behind are not read.
    """
    waiting = (_P.running == 0, _P.priority == bindparam("priority"))
    shares = select(func.min(_P.share).label("share")).where(*waiting).cte("shares", recursive=True)
    following = select(func.min(_P.share)).where(*waiting, _P.share > shares.c.share).scalar_subquery()
    shares = shares.union_all(select(following).where(shares.c.share.is_not(None)))
    first = select(func.min(_P.row)).where(*waiting, _P.share == shares.c.share).correlate(shares).scalar_subquery()
    return select(_P.row, _P.share, _P.hosts).join_from(shares, places, _P.row == first)


_front = Prepared(_fronts())


@dataclass(frozen=True)
class Place:
    """A job in the line; one that is there is at work until it is removed."""

    row: int
    """The row of the job's resource."""
    share: str
    """Whose job it is."""
    hosts: int = 1
    """How many places it takes, all at once."""
    priority: int = 0


class Places:
    """The line, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, place: Place) -> None:
        """Let a job wait for its place."""
        values = {"row": place.row, "share": place.share, "priority": place.priority, "hosts": place.hosts}
        self._session.insert(_addition, {**values, "running": 0})

    def has(self, row: int) -> bool | None:
        """Whether the job in this row has its place, or waits for it; ``None`` if it does neither."""
        found = self._session.first(_has, {"of": row})
        return None if found is None else bool(found[0])

    def remove(self, row: int) -> None:
        """Take a job out of the line: it has ended, or it will not run."""
        self._session.change(_removal, {"of": row})

    def taken(self) -> dict[str, int]:
        """How many places are taken, by whom."""
        return {str(share): int(hosts) for share, hosts in self._session.rows(_taken, {})}

    def fill(self, room: int, now: float) -> list[int]:
        """Give the free ones of ``room`` places to the jobs whose turn it is; gives their rows, which are due now.

        A job that asks for more than ``room`` runs when it is alone.
        """
        taken = self.taken()
        given: list[int] = []
        while (count := sum(taken.values())) < room and (first := self._first(taken)) is not None:
            if count and count + first.hosts > room:
                break
            self._session.change(_giving, {"of": first.row})
            taken[first.share] = taken.get(first.share, 0) + first.hosts
            given.append(first.row)
        if given:
            self._session.change(_waking, {"rows": given, "now": now})
        return given

    def _first(self, taken: dict[str, int]) -> Place | None:
        """The job whose turn it is."""
        highest = self._session.first(_highest, {})
        if highest is None or highest[0] is None:
            return None
        fronts = [Place(*row) for row in self._session.rows(_front, {"priority": highest[0]})]
        return min(fronts, key=lambda place: (taken.get(place.share, 0), place.row))
