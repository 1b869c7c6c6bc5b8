"""Words of many languages that tell the sides apart in names of files and folders."""

from __future__ import annotations

import unicodedata

from dieindex.records import OBVERSE, REVERSE, Side

TOKEN_PAIRS: tuple[tuple[str, str], ...] = (
    ("o", "r"),
    ("a", "r"),
    ("av", "rv"),
    ("obv", "rev"),
    ("vs", "rs"),
    ("heads", "tails"),
    ("obverse", "reverse"),
    ("head", "tail"),
    ("avers", "revers"),
    ("vorderseite", "rückseite"),
    ("vorderseite", "rueckseite"),
    ("droit", "revers"),
    ("dritto", "rovescio"),
    ("anverso", "reverso"),
    ("front", "back"),
    ("recto", "verso"),
    ("av", "rev"),
    ("obv", "rv"),
    ("diritto", "rovescio"),
    ("dir", "rov"),
    ("dr", "rv"),
    ("dr", "rev"),
    ("droits", "revers"),
    ("ob", "rev"),
    ("ob", "re"),
    ("ob", "rv"),
    ("anv", "rev"),
    ("cara", "cruz"),
    ("face", "pile"),
    ("testa", "croce"),
    ("frente", "verso"),
    ("voorzijde", "keerzijde"),
    ("vz", "kz"),
    ("kop", "munt"),
    ("kopf", "zahl"),
    ("averse", "reverse"),
    ("awers", "rewers"),
    ("averz", "reverz"),
    ("avers", "rewers"),
    ("előlap", "hátlap"),
    ("forside", "bagside"),
    ("forside", "bakside"),
    ("åtsida", "frånsida"),
    ("önyüz", "arkayüz"),
    ("аверс", "реверс"),
    ("лицо", "оборот"),
    ("ав", "рев"),
    ("εμπρ", "οπισθ"),
    ("εμπρόσθια", "οπίσθια"),
    ("εμπρόσθιος", "οπίσθιος"),
    ("εμπροσθότυπος", "οπισθότυπος"),
    ("εμπρός", "πίσω"),
    ("正面", "背面"),
)
"""Words of one language that tell the sides apart wherever both occur set off, obverse first."""

LETTER_PAIRS: tuple[tuple[str, str], ...] = (
    ("o", "r"),
    ("a", "r"),
    ("d", "r"),
    ("f", "b"),
    ("h", "t"),
    ("v", "k"),
    ("a", "p"),
    ("ε", "ο"),
    ("а", "р"),  # Cyrillic
    ("л", "о"),  # Cyrillic
    ("正", "背"),
)
"""Initials that tell the sides apart where names differ in nothing else, obverse first."""

ORDER_PAIRS: tuple[tuple[str, str], ...] = (("a", "b"), ("1", "2"), ("0", "1"), ("v", "r"))
"""What stands for the sides where all names come in twos that differ in nothing else."""

ALPHABET_NEIGHBOURS: dict[str, frozenset[str]] = {
    "a": frozenset("b"),
    "o": frozenset("np"),
}
"""Letters beside which one of these goes on through the alphabet and names no side."""

THIRD_VIEWS = frozenset(
    {
        "e", "edge", "edges", "rim", "rand", "kante", "tranche", "tr", "taglio", "bord", "bordo",
        "canto", "borde", "kant", "kants", "гурт", "στεφανη",
    }
)  # fmt: skip
"""Words for what is neither side."""


def folded(word: str) -> str:
    """The form in which words are compared: without case and accents."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


TOKEN_SIDE: dict[str, Side] = {}
PARTNERS: dict[str, frozenset[str]] = {}
"""For each token those of the other side that make it count."""
for _obverse, _reverse in ((folded(one), folded(two)) for one, two in TOKEN_PAIRS):
    PARTNERS[_obverse] = PARTNERS.get(_obverse, frozenset()) | {_reverse}
    PARTNERS[_reverse] = PARTNERS.get(_reverse, frozenset()) | {_obverse}
    TOKEN_SIDE[_obverse], TOKEN_SIDE[_reverse] = OBVERSE, REVERSE
