"""Made-up legends that read like ancient ones: titles, names and peoples in Latin and Greek."""

from __future__ import annotations

import numpy as np

from dieindex.mint.parameters import Script

_LATIN_SYLLABLES = [
    "VA",
    "LE",
    "RI",
    "SE",
    "VE",
    "TRA",
    "HA",
    "DO",
    "MI",
    "TI",
    "AN",
    "TO",
    "NI",
    "MAR",
    "CV",
    "PER",
    "GOR",
    "CON",
    "STAN",
    "LI",
    "CA",
    "PRO",
    "BV",
    "AV",
    "GAL",
    "BAS",
    "FLO",
    "RVS",
    "TA",
    "CLA",
    "DI",
    "VES",
    "PA",
    "SI",
    "NER",
    "VI",
    "TEL",
    "OR",
    "BI",
    "AE",
    "LVC",
    "FAV",
    "STI",
    "CRIS",
    "PI",
    "SAB",
    "NO",
]
_LATIN_ENDS = ("VS", "IVS", "INVS", "ANVS", "ENS", "OR", "O")
_LATIN_FEMALE = ("A", "IA", "INA", "ANA", "ILLA")
_LATIN_BEFORE = (
    "IMP",
    "IMP CAES",
    "IMP C",
    "CAESAR",
    "D N",
    "C",
    "DIVVS",
    "L",
    "M",
    "IMP CAES M",
    "",
)
_LATIN_AFTER = (
    "AVG", "P F AVG", "AVG COS III", "AVG P M TR P", "CAES", "PIVS AVG", "NOB CAES", "AVGVSTVS",
    "AVG GERM", "AVG PONT MAX", "P P", "",
)  # fmt: skip
_VIRTUES = (
    "VICTORIA", "CONCORDIA", "FELICITAS", "PAX", "SALVS", "FORTVNA", "SPES", "VIRTVS", "LIBERTAS",
    "SECVRITAS", "PROVIDENTIA", "AEQVITAS", "FIDES", "GLORIA", "ROMA", "HILARITAS", "ABVNDANTIA",
)  # fmt: skip
_OWNERS = ("AVG", "AVGG", "AVGVSTI", "EXERCITVS", "MILITVM", "PVBLICA", "ROMANORVM", "SAECVLI", "")
_OFFICES = (
    "P M TR P COS",
    "TR POT COS",
    "COS",
    "PONT MAX TR POT",
    "IMP COS DES",
    "P M TR P",
    "TR P COS P P",
)
_NUMERALS = ("", "II", "III", "IIII", "V", "VI", "VII", "VIII", "XI", "XV", "XVI")
_MINTS = ("SC", "ROMA", "SMAN", "TRP", "PLG", "SISC", "ALE", "CONS", "AQP", "LVG", "COS III", "S C")
_GREEK_SYLLABLES = [
    "ΑΝ",
    "ΤΙ",
    "ΔΗ",
    "ΜΗ",
    "ΣΕ",
    "ΛΕΥ",
    "ΠΤΟ",
    "ΦΙ",
    "ΛΙ",
    "ΑΡ",
    "ΣΙ",
    "ΝΟ",
    "ΜΑ",
    "ΓΝΗ",
    "ΕΦΕ",
    "ΠΕΡ",
    "ΓΑ",
    "ΣΜΥΡ",
    "ΝΑ",
    "ΚΥ",
    "ΖΙ",
    "ΛΑ",
    "ΟΔ",
    "ΤΑΡ",
    "ΣΑΡ",
    "ΔΙ",
    "ΒΥ",
    "ΡΟ",
    "ΜΙ",
    "ΛΗ",
    "ΘΑ",
    "ΣΥ",
    "ΡΑ",
    "ΚΟ",
    "ΡΙΝ",
    "ΜΕΣ",
    "ΣΑ",
    "ΝΙ",
    "ΗΡΑ",
    "ΚΛΕ",
]
_GREEK_PEOPLES = ("ΩΝ", "ΕΩΝ", "ΙΩΝ", "ΗΝΩΝ", "ΙΤΩΝ", "ΑΙΩΝ", "ΝΩΝ")
_GREEK_KINGS = ("ΟΥ", "ΟΣ", "ΕΩΣ", "ΑΤΟΥ", "ΙΔΟΥ", "ΙΟΥ")
_EPITHETS = (
    "ΕΠΙΦΑΝΟΥΣ", "ΣΩΤΗΡΟΣ", "ΘΕΟΥ", "ΜΕΓΑΛΟΥ", "ΕΥΕΡΓΕΤΟΥ", "ΝΙΚΗΦΟΡΟΥ", "ΔΙΚΑΙΟΥ", "ΦΙΛΟΠΑΤΟΡΟΣ",
)  # fmt: skip
_GREEK_BEFORE = ("ΑΥΤ", "ΑΥΤ ΚΑΙ", "ΑΥΤ Κ Μ", "ΙΟΥΛΙΑ", "ΚΑΙΣΑΡ", "ΑΥΤΟΚ Κ", "ΘΕΟΣ")
_GREEK_AFTER = ("ΣΕΒ", "ΣΕΒΑΣΤΟΣ", "ΑΥΓ", "ΚΑΙΣΑΡ", "ΓΕΡΜ", "")


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _stem(rng: np.random.Generator, syllables: list[str], low: int, high: int) -> str:
    return "".join(str(rng.choice(syllables)) for _ in range(int(rng.integers(low, high + 1))))


def _pick(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(rng.integers(len(words)))]


def ruler(rng: np.random.Generator, script: Script, female: bool) -> str:
    """Name and titles of a ruler, for an obverse."""
    if script == "latin":
        ends = _LATIN_FEMALE if female else _LATIN_ENDS
        name = _stem(rng, _LATIN_SYLLABLES, 1, 3) + _pick(rng, ends)
        if female:
            return _join(name, _pick(rng, ("AVGVSTA", "AVG", "SEBASTA", "DIVA", "")))
        titles = _pick(rng, _LATIN_AFTER)
        if rng.random() < 0.45:
            titles = _join(titles, _pick(rng, _OFFICES), _pick(rng, _NUMERALS))
        return _join(_pick(rng, _LATIN_BEFORE), name, titles)
    name = _stem(rng, _GREEK_SYLLABLES, 1, 3)
    if rng.random() < 0.3:
        return _join("ΒΑΣΙΛΕΩΣ", name + _pick(rng, _GREEK_KINGS))
    return _join(_pick(rng, _GREEK_BEFORE), name + _pick(rng, ("ΟΣ", "ΙΟΣ", "ΗΣ", "ΩΝ")),
                 _pick(rng, _GREEK_AFTER))  # fmt: skip


def reverse(rng: np.random.Generator, script: Script) -> str:
    """A reverse legend: virtues, offices, a people, a king with his epithets."""
    if script == "latin":
        praise = _join(_pick(rng, _VIRTUES), _pick(rng, _OWNERS))
        office = _join(_pick(rng, _OFFICES), _pick(rng, _NUMERALS))
        which = rng.random()
        if which < 0.25:
            return _join(praise, office)
        return praise if which < 0.65 else office
    if rng.random() < 0.4:
        king = _stem(rng, _GREEK_SYLLABLES, 1, 3) + _pick(rng, _GREEK_KINGS)
        return _join("ΒΑΣΙΛΕΩΣ", king, _pick(rng, (*_EPITHETS, "", "")))
    return people(rng) + (" " + _stem(rng, _GREEK_SYLLABLES, 1, 2) if rng.random() < 0.35 else "")


def people(rng: np.random.Generator) -> str:
    """The people of a city in the genitive."""
    return _stem(rng, _GREEK_SYLLABLES, 1, 3) + _pick(rng, _GREEK_PEOPLES)


def short(rng: np.random.Generator, script: Script) -> str:
    """A mint mark, a date, a control, for the exergue or the field."""
    if script == "latin":
        return _pick(rng, _MINTS)
    if rng.random() < 0.5:
        return _stem(rng, _GREEK_SYLLABLES, 1, 2)
    return "".join(str(rng.choice(list("ΑΒΓΔΕΖΗΘΙΚΛΜ"))) for _ in range(int(rng.integers(1, 4))))
