"""An index under review: what is said is kept, taken back, done again, and seen by others."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dieindex import api
from dieindex.api import session as sessions
from dieindex.errors import CollectionError, IndexFolderError, UsageError
from dieindex.records import OBVERSE, REVERSE, SIDES, Review
from dieindex.review.moves import Arrangement

WAIT = 60.0


class Told:
    """What a session told, in its order."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self._more = threading.Condition()

    def __call__(self, what: str, details: Mapping[str, Any]) -> None:
        with self._more:
            self.events.append((what, details))
            self._more.notify_all()

    def wait(self, what: str) -> Mapping[str, Any]:
        with self._more:
            assert self._more.wait_for(lambda: any(w == what for w, _ in self.events), WAIT), what
            return next(details for name, details in self.events if name == what)


@pytest.fixture
def folder(compared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(compared, tmp_path / "index"))


@pytest.fixture
def session(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[api.ReviewSession]:
    monkeypatch.setattr(sessions, "GLANCE", 0.05)
    opened = api.ReviewSession(api.open_index(folder))
    assert settled(opened)
    yield opened
    opened.close()


def settled(session: api.ReviewSession) -> bool:
    return all(session.sorted(s, WAIT) and session.settled(s, WAIT) for s in SIDES)


def dies(session: api.ReviewSession, side: str = OBVERSE) -> dict[str, str]:
    assert settled(session)
    found = session.sorted(side)  # type: ignore[arg-type]
    assert found is not None
    return found.dies.die_of


def partition(session: api.ReviewSession) -> set[frozenset[str]]:
    of_die: dict[str, set[str]] = {}
    for coin, die in dies(session).items():
        of_die.setdefault(die, set()).add(coin)
    return {frozenset(coins) for coins in of_die.values()}


def two_dies(session: api.ReviewSession) -> tuple[str, str]:
    """Two coins of two dies."""
    found = dies(session)
    first = next(iter(found))
    return first, next(coin for coin, die in found.items() if die != found[first])


def merge(session: api.ReviewSession, a: str, b: str, *, note: str = "") -> list[Review]:
    """The dies of two coins."""
    return session.arrange(
        lambda dies: api.merged(dies, dies.die_of[a], dies.die_of[b]),
        side=OBVERSE,
        by="A",
        note=note,
    )


def move(session: api.ReviewSession, *coins: str, by: str = "A") -> list[Review]:
    """To a die of their own."""
    return session.arrange(lambda dies: api.moved(dies, coins, None), side=OBVERSE, by=by)


def together(session: api.ReviewSession, *coins: str) -> bool:
    return len({dies(session)[coin] for coin in coins}) == 1


def test_an_answer_is_kept_and_the_dies_follow(session: api.ReviewSession) -> None:
    a, b = two_dies(session)
    before = session.sorted(OBVERSE)
    given = session.say(a, b, "same", side=OBVERSE, by="A", note="the same flaw")
    assert api.reviews(session.index.folder) == [given]
    assert (given.by, given.note, given.number) == ("A", "the same flaw", 1)
    assert together(session, a, b)
    after = session.sorted(OBVERSE)
    assert before is not None
    assert after is not None
    assert after.revision > before.revision
    assert after.changes
    with pytest.raises(UsageError, match="no verdict"):
        session.say(a, b, "perhaps", side=OBVERSE, by="A")
    with pytest.raises(UsageError, match="two different coins"):
        session.say(a, a, "same", side=OBVERSE, by="A")
    with pytest.raises(CollectionError):
        session.say(a, "nobody's", "same", side=OBVERSE, by="A")


def test_taken_back_and_done_again_many_times(session: api.ReviewSession) -> None:
    a, b = two_dies(session)
    was = partition(session)
    assert session.take_back("A") == []
    session.say(a, b, "same", side=OBVERSE, by="A")
    session.say(a, b, "unsure", side=OBVERSE, by="A")
    assert session.can_turn("A") == (True, False)
    assert session.can_turn("B") == (False, False)
    for _ in range(2):
        session.take_back("A")
        assert [each.verdict for each in api.latest(session.reviews())] == ["same"]
        assert together(session, a, b)
        session.take_back("A")
        assert api.latest(session.reviews()) == []
        assert session.can_turn("A") == (False, True)
        session.do_again("A")
        session.do_again("A")
        assert [each.verdict for each in api.latest(session.reviews())] == ["unsure"]
    assert session.do_again("A") == []
    session.take_back("A")
    session.take_back("A")
    assert partition(session) == was
    session.say(a, b, "different", side=OBVERSE, by="A")
    assert session.can_turn("A") == (True, False)


def test_taking_back_leaves_what_another_said(session: api.ReviewSession) -> None:
    """Neither is the other's answer lost, nor put into one's own mouth."""
    a, b = two_dies(session)
    session.say(a, b, "same", side=OBVERSE, by="A")
    yours = session.say(a, b, "different", side=OBVERSE, by="B")
    session.take_back("A")
    assert api.latest(session.reviews()) == [yours]
    mine = session.say(a, b, "same", side=OBVERSE, by="A")
    assert api.latest(session.reviews()) == [mine]
    session.take_back("A")
    assert api.latest(session.reviews()) == [yours]
    assert api.disagreements(session.reviews()) == []


def test_dies_are_merged_and_coins_moved_and_all_of_it_taken_back(
    session: api.ReviewSession,
) -> None:
    was = partition(session)
    found = session.sorted(OBVERSE)
    assert found is not None
    a, b = two_dies(session)
    whole = {
        coin for coin, die in dies(session).items() if die in (dies(session)[a], dies(session)[b])
    }
    merge(session, a, b, note="merged")
    assert whole in partition(session)
    assert {each.note for each in session.reviews()} == {"merged"}

    apart = sorted(whole)[:2]
    move(session, *apart)
    assert {frozenset(apart), frozenset(whole - set(apart))} <= partition(session)
    assert session.can_turn("A") == (True, False)
    session.take_back("A")
    assert whole in partition(session)
    session.do_again("A")
    assert frozenset(apart) in partition(session)
    session.take_back("A")
    session.take_back("A")
    assert partition(session) == was


def test_an_arrangement_taken_back_at_once_is_not_said_later(session: api.ReviewSession) -> None:
    """Also where the dies were being found when it was taken back."""
    was = partition(session)
    a, b = two_dies(session)
    session.say(a, b, "unsure", side=OBVERSE, by="A")
    merge(session, a, b)
    assert session.take_back("A")
    assert session.can_turn("A") == (True, True)
    assert partition(session) == was
    assert [each.verdict for each in api.latest(session.reviews())] == ["unsure"]
    session.do_again("A")
    assert together(session, a, b)


def test_an_arrangement_is_kept_when_the_answer_is_there(
    session: api.ReviewSession, folder: Path
) -> None:
    """Also where the workbench is killed before the dies were found again."""
    a, b = two_dies(session)
    session.close()
    session._thread.join(WAIT)
    given = merge(session, a, b)
    assert given
    assert api.reviews(folder) == given
    later = api.ReviewSession(api.open_index(folder))
    assert together(later, a, b)
    later.close()


def test_who_sorts_coins_sees_what_was_sorted_just_before(session: api.ReviewSession) -> None:
    """Two coins of a die are parted from it one right after the other, by two persons: neither is
    put back with "what is left of it"."""
    a, b = two_dies(session)
    merge(session, a, b)
    coins = sorted(coin for coin, die in dies(session).items() if die == dies(session)[a])
    assert len(coins) >= 4
    wrong: list[BaseException] = []

    def part(n: int) -> None:
        try:
            move(session, coins[n], by=f"P{n}")
        except BaseException as error:
            wrong.append(error)

    people = [threading.Thread(target=part, args=(n,)) for n in range(3)]
    for each in people:
        each.start()
    for each in people:
        each.join()
    assert not wrong
    alone = {frozenset((coin,)) for coin in coins[:3]}
    assert alone | {frozenset(coins[3:])} <= partition(session)
    # (Whoever comes first, no coin that one has parted is joined again by the next.)
    said = [each for each in session.reviews() if each.by != "A"]
    for number, each in enumerate(said):
        if each.verdict == "different":
            again = [later for later in said[number:] if later.pair == each.pair]
            assert {later.verdict for later in again} == {"different"}


def test_dies_have_the_numbers_they_had(session: api.ReviewSession, folder: Path) -> None:
    """Taken back and done again; also by who opens the index later, and names with them."""
    a, b = two_dies(session)
    api.name_die(session.index, OBVERSE, dies(session)[b], "Lion")
    session.heard()
    was = dies(session)
    assert was[b] == "Lion"
    merge(session, a, b)
    one = dies(session)
    session.take_back("A")
    assert dies(session) == was
    session.do_again("A")
    assert dies(session) == one
    session.take_back("A")
    whole = [coin for coin, die in was.items() if die == was[a]]
    split = []
    for _ in range(2):
        move(session, *whole[:-1])
        split.append(dies(session))
        session.take_back("A")
        assert dies(session) == was
    assert split[0] == split[1]
    merge(session, a, b)
    assert dies(session) == one
    session.close()
    for each in api.latest(session.reviews()):
        api.open_index(folder).review(
            each.coin_a, each.coin_b, "unsure", side=OBVERSE, by="A", note="taken back"
        )
    later = api.ReviewSession(api.open_index(folder))
    assert dies(later) == was
    later.close()


def test_what_was_taken_back_in_the_log_comes_back(session: api.ReviewSession) -> None:
    """Taking back a taking back says again what that took, not something earlier."""
    a, b = two_dies(session)
    session.say(a, b, "different", side=OBVERSE, by="A", note="first")
    session.say(a, b, "same", side=OBVERSE, by="A", note="second")
    session.say(a, b, "unsure", side=OBVERSE, by="A", note="taken back")
    for _ in range(2):
        assert [each.note for each in api.latest(session.reviews())] == ["first"]
        session.take_back("A")
        assert [each.note for each in api.latest(session.reviews())] == ["second"]
        session.do_again("A")
    session.take_back("A")
    session.take_back("A")
    assert [each.note for each in api.latest(session.reviews())] == ["first"]
    session.say(a, b, "unsure", side=OBVERSE, by="B", note="taken back")
    session.take_back("B")
    assert [each.note for each in api.latest(session.reviews())] == ["first"]


def test_an_arrangement_that_stands_says_nothing(session: api.ReviewSession) -> None:
    def as_it_is(dies: api.Dies) -> Arrangement:
        return Arrangement.of(OBVERSE, dies.clusters.values())

    assert settled(session)
    assert session.arrange(as_it_is, side=OBVERSE, by="A") == []
    assert settled(session)
    assert session.reviews() == []
    assert session.can_turn("A") == (False, False)


def test_a_die_is_held_by_persons_alone(session: api.ReviewSession) -> None:
    found = session.sorted(OBVERSE)
    assert found is not None
    assert api.held(found.dies) == set()
    name, coins = max(found.dies.clusters.items(), key=lambda item: len(item[1]))
    assert len(coins) > 1
    assert len(session.hold(name, side=OBVERSE, by="A", note="checked")) == len(coins) - 1
    assert settled(session)
    found = session.sorted(OBVERSE)
    assert found is not None
    assert api.held(found.dies) == {name}
    assert session.hold(name, side=OBVERSE, by="A") == []
    session.take_back("A")
    assert session.can_turn("A") == (False, True)


def test_what_another_process_says_is_seen_on_every_side(
    session: api.ReviewSession, folder: Path
) -> None:
    """Also where an answer is given here at the same time, of the other side."""
    a, b = two_dies(session)
    told = Told()
    session._listener = told
    said = "import sys; from dieindex import api; api.open_index(sys.argv[1]).review("
    code = f"{said}{a!r}, {b!r}, 'different', side='reverse', by='B')"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
    session.say(a, b, "same", side=OBVERSE, by="A")
    for _ in range(400):
        found = session.sorted(REVERSE)
        if found is not None and any(each.by == "B" for each in found.dies.reviews):
            break
        threading.Event().wait(0.05)
    else:
        pytest.fail("not seen")
    assert together(session, a, b)
    heard = [
        each for what, details in told.events if what == "verdicts" for each in details["reviews"]
    ]
    assert Counter(each.by for each in heard) == {"A": 1, "B": 1}


def test_a_name_that_another_gives_is_seen(session: api.ReviewSession, folder: Path) -> None:
    name = next(iter(dies(session).values()))
    api.name_die(api.open_index(folder), OBVERSE, name, "Lion, left")
    for _ in range(400):
        if "Lion, left" in dies(session).values():
            return
        threading.Event().wait(0.05)
    pytest.fail("not seen")


def test_two_sessions_and_many_persons_lose_nothing(
    session: api.ReviewSession, folder: Path
) -> None:
    beside = api.ReviewSession(api.open_index(folder))
    coins = sorted(dies(session))
    wrong: list[BaseException] = []

    def answer(person: int) -> None:
        try:
            desk = (session, beside)[person % 2]
            for n in range(6):
                a, b = coins[n], coins[n + 1]
                desk.say(a, b, "unsure", side=SIDES[n % 2], by=f"P{person}", note=str(n))
        except BaseException as error:
            wrong.append(error)

    people = [threading.Thread(target=answer, args=(n,)) for n in range(4)]
    for each in people:
        each.start()
    for each in people:
        each.join()
    assert not wrong
    kept = session.reviews()
    assert len(kept) == 24
    assert len({(each.by, each.note) for each in kept}) == 24
    assert [each.number for each in kept] == list(range(1, 25))
    assert settled(session)
    assert settled(beside)
    beside.close()


def test_an_index_that_cannot_be_sorted_says_so_and_answers(folder: Path) -> None:
    """Whoever waits is told at once, and an answer is kept all the same."""
    index = api.open_index(folder)
    coins = index.faces(OBVERSE).coins

    def broken(*_: object, **__: object) -> Any:
        raise IndexFolderError("the details are damaged.")

    index.pairs = broken  # type: ignore[method-assign]
    told = Told()
    session = api.ReviewSession(index, told)
    for side in SIDES:
        with pytest.raises(IndexFolderError, match="damaged"):
            session.sorted(side, WAIT)
        assert session.settled(side, WAIT)
    assert told.wait("failed")["side"] in SIDES
    session.say(coins[0], coins[1], "same", side=OBVERSE, by="A")
    assert len(session.reviews()) == 1
    del index.pairs
    session.heard()
    for _ in range(400):
        if not session._failed:
            break
        threading.Event().wait(0.05)
    assert together(session, coins[0], coins[1])
    session.close()


def test_a_fault_while_sorting_is_told_and_does_not_end_the_work(
    session: api.ReviewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = two_dies(session)
    told = Told()
    session._listener = told
    with monkeypatch.context() as patch:
        patch.setattr(sessions, "sorted_now", lambda *_, **__: 1 // 0)
        session.say(a, b, "same", side=OBVERSE, by="A")
        assert "ZeroDivisionError" in str(told.wait("failed")["error"])
    session.say(a, b, "same", side=OBVERSE, by="A", note="again")
    assert together(session, a, b)


def test_a_closed_session_says_nothing_more_and_loses_nothing(
    session: api.ReviewSession, folder: Path
) -> None:
    a, b = two_dies(session)
    told = Told()
    session._listener = told
    session.close()
    session.close()
    session._thread.join(WAIT)
    assert not session._thread.is_alive()
    session.say(a, b, "same", side=OBVERSE, by="A")
    assert told.events == []
    assert len(api.reviews(folder)) == 1


def test_coins_know_their_die_on_the_other_side(session: api.ReviewSession) -> None:
    for side, other in zip(SIDES, SIDES[::-1], strict=True):
        found, beyond = session.sorted(side), dies(session, other)
        assert found is not None
        for coin in found.dies.die_of:
            assert found.desk.coin(coin).other_die == beyond[coin]
