"""The words of sheets in English, German, French, Italian, Spanish, Dutch and Greek.

Every word is without accents and case (``words_of``). What a header means follows from the kinds of
its words together: a word for a side and one for a die, whatever stands between them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from dieindex.records import OBVERSE, REVERSE, Side


def _vocabulary(text: str) -> frozenset[str]:
    return frozenset(text.split())


OBVERSE_WORDS = _vocabulary(
    "obverse obverses obv obvs ob av avers averse droit droits vs vds vorderseite vorderseiten "
    "vord dritto diritto dritti diritti anverso anversos anv anvers voorzijde voorzijden vz heads "
    "head εμπροσθοτυποσ εμπροσθοτυπου εμπροσθοτυποι εμπροσθοτυπων εμπρ εμπροσθια εμπροσθιοσ "
    "εμπροσθιασ εμπροσθιου προσθια προσθιοσ προσθιασ лицевая лицевой аверс аверса"
)
REVERSE_WORDS = _vocabulary(
    "reverse reverses rev revs rv revers rs rks ruckseite ruckseiten rueckseite rueckseiten ruck "
    "rovescio rovesci rov reverso reversos keerzijde keerzijden kz achterzijde tails tail "
    "οπισθοτυποσ οπισθοτυπου οπισθοτυποι οπισθοτυπων οπισθ οπισθια οπισθιοσ οπισθιασ οπισθιου "
    "оборотная оборотной реверс реверса"
)
LETTER_PAIRS: tuple[tuple[str, str], ...] = (
    ("o", "r"), ("a", "r"), ("v", "r"), ("d", "r"), ("a", "p"), ("v", "k"), ("e", "o"), ("r", "v"),
)  # fmt: skip
"""Letters that stand for the sides, obverse first (V and R of Vorderseite and Rückseite, A and P of
many French and English studies, E and O of Greek ones, R and V of recto and verso)."""

DIE_WORDS = _vocabulary(
    "die dies stempel stempels stamp stamps coin coins conio conii cuno cunos cunho cunhos matrice "
    "matrices matriz muntstempel st σφραγιδα σφραγιδασ σφραγιδων μητρα μητρασ μητρων штемпель "
    "штемпеля"
)
NOT_DIES_ALONE = frozenset({"coin", "coins", "st"})
"""Words for dies (French, and short for Stempel) that mean something else where no side stands
beside them."""
DIES_WORDS = _vocabulary("dies coins conii cunos cunhos matrices stempels σφραγιδων μητρων")
"""Words for several dies: ``No. of obverse dies`` counts them."""
PAIR_WORDS = _vocabulary(
    "combination combinations combo pair pairs pairing couple couples combinaison combinaisons "
    "combinazione combinazioni coppia combinacion combinaciones combinatie combinaties "
    "stempelkombination stempelkombinationen stempelverbindung stempelpaar kombination verbindung "
    "koppeling liaison συνδυασμοσ ζευγοσ"
)
"""Words for both dies in one cell."""
COIN_WORDS = _vocabulary(
    "coin munze munz muenze monnaie piece moneta moneda munt exemplar exemplaar exemplaire "
    "esemplare ejemplar specimen νομισμα"
)
COINS_WORDS = _vocabulary(
    "coins munzen muenzen monnaies pieces monete monedas munten exemplare exemplaren exemplaires "
    "esemplari ejemplares specimens νομισματα νομισματων αντιτυπα αντιτυπων examples stuck stueck "
    "ex exx spec specs"
)
"""Words that head a list of coins, or a number of them."""
IDENT_WORDS = _vocabulary(
    "id ids uid identifier ident key object obj item entry seq objekt objet oggetto "
    "objeto record sample probe inv inventory inventar inventaire inventario inventaris accession "
    "accessions "
    "acc registration reg signatur "
    "ευρετηριο ευρετηριου"
)
NUMBER_WORDS = _vocabulary(
    "no nos nr nrs number numbers num nummer nummern numero numeros numeri n n° # lfd laufende "
    "ordre ordine orden volg αρ αριθμοσ αυξων αα"
)
CATALOGUE_WORDS = _vocabulary(
    "cat catalogue catalog kat katalog catalogo catalogus lot los ref reference κατ καταλογου"
)
COUNT_WORDS = _vocabulary(
    "count counts freq frequency frequence frequenz frequenza frecuencia haufigkeit anzahl anz "
    "stuckzahl quantity qty quantite quantita cantidad nombre nb nbre effectif "
    "effectifs aantal πληθοσ ποσοτητα total totals tot sum summe somme totale totaal suma"
)
FILE_WORDS = _vocabulary(
    "file files filename photo photos photograph photographs picture pictures image images img "
    "imgs bild bilder bilddatei foto fotos fotografia fotografie datei dateiname fichier fichiers "
    "fichero archivo bestand bestandsnaam afbeelding immagine immagini imagen imagenes path "
    "αρχειο φωτογραφια εικονα"
)
SIDE_HEADS = _vocabulary("side seite face cote lato lado cara zijde πλευρα οψη")
SPECIMEN_WORDS = _vocabulary("letter buchstabe lettre lettera letra sub ref var ex")
NOISE_WORDS = _vocabulary(
    "label name of the des de del della dei da d der die du di le la l il el los las van het en "
    "et e y und and u nom nome nombre naam bezeichnung my used identified οψη οψησ του τησ των "
    "και сторона стороны"
)
"""Words that say nothing beside others."""

_KNOWN = (
    OBVERSE_WORDS | REVERSE_WORDS | DIE_WORDS | PAIR_WORDS | COIN_WORDS | COINS_WORDS
    | IDENT_WORDS | NUMBER_WORDS | CATALOGUE_WORDS | COUNT_WORDS | FILE_WORDS
    | frozenset({"name", "label"})
)  # fmt: skip
_LINKS = ("", "s", "n", "en", "er", "e")
"""What stands between the parts of German and Dutch compounds."""
_LOOK_ALIKE = str.maketrans("αβεζηικμνορτυχаеорсухкмнтв", "abezhikmnoptuxaeopcyxkmhtb")
"""Greek and Cyrillic letters, and the Latin ones that they look like."""


def plain(text: str) -> str:
    """The text without accents, case and invisible letters."""
    if text.isascii():
        return text.casefold()
    apart = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(
        letter for letter in apart if unicodedata.category(letter) not in ("Mn", "Cf")
    ).casefold()


def latin(text: str) -> str:
    """The text with Greek and Cyrillic letters as the Latin ones they look like; without case."""
    return plain(text).translate(_LOOK_ALIKE)


def words_of(text: str) -> list[str]:
    """The words of a header or cell, without accents and case: ``ObverseDie`` and
    ``Vorderseitenstempel`` are two."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text[:200])
    spaced = re.sub(r"\b[dlDL]['’](?=\w)", " ", spaced)  # d'avers
    words = re.split(r"[\s_\-./:()\[\]{},;'’|+&*\\\"“”«»?!=<>]+", plain(spaced))
    found: list[str] = []
    for word in filter(None, words):
        found += re.findall(r"#|[^#]+", word) if "#" in word else _parts(word)
    return found


@lru_cache(4096)
def _parts(word: str) -> tuple[str, ...]:
    """``obversedie`` as ``obverse die``, ``munznummer`` as ``munz nummer``; else the word."""
    if word in _KNOWN or not 4 < len(word) < 40:
        return (word,)
    for cut in range(len(word) - 2, 1, -1):
        front = next(
            (stem for link in _LINKS if (stem := word[:cut].removesuffix(link)) in _KNOWN
             and len(stem) > 1 and (not link or word[:cut].endswith(link))), None,
        )  # fmt: skip
        if front is not None:
            rest = _parts(word[cut:])
            if all(part in _KNOWN and len(part) > 1 for part in rest):
                return (front, *rest)
    return (word,)


def side_of_header_word(word: str) -> Side | None:
    if word in OBVERSE_WORDS:
        return OBVERSE
    return REVERSE if word in REVERSE_WORDS else None


def side_of_words(text: str) -> Side | None:
    """The side that the words of a cell name: ``Vs.``, ``obverse (left)``; None for none or two."""
    named = {side for word in words_of(text) if (side := side_of_header_word(word))}
    return named.pop() if len(named) == 1 else None


# --- what cells say instead of a name ----------------------------------------------------------

UNKNOWN_WORDS = _vocabulary(
    "unknown unidentified undetermined undeterminable uncertain indeterminate indeterminable "
    "illegible unreadable unclear worn obliterated missing absent lost none nil null na nan nd nb "
    "ni nr nv tbd tbc tba inc indet unk unbekannt unbestimmt unbestimmbar unsicher unleserlich "
    "unkenntlich unklar abgenutzt abgegriffen fehlt fehlend verloren keine kein keiner inconnu "
    "inconnue indetermine indeterminee incertain incertaine illisible use usee manque manquant "
    "aucun absente fruste sconosciuto sconosciuta ignoto ignota indeterminato indeterminata "
    "incerto incerta illeggibile mancante nessuno nessuna desconocido desconocida indeterminado "
    "indeterminada incierto incierta ilegible ausente ninguno onbekend onbepaald onzeker "
    "onleesbaar ontbreekt geen αγνωστο αγνωστη αγνωστοσ αδιαγνωστο αδιαγνωστη αβεβαιο αβεβαιη "
    "δυσαναγνωστο"
)
NOT_WORDS = _vocabulary("not nicht non no niet pas ne δεν μη sin senza sans ohne")
SEEN_WORDS = _vocabulary(
    "διακρινεται φαινεται αναγνωριζεται "
    "visible legible readable identified identifiable known determined determinable recorded "
    "available applicable given seen clear certain sure preserved stated sichtbar lesbar "
    "erkennbar bestimmt bestimmbar bekannt identifiziert identifizierbar vorhanden erhalten "
    "angegeben verfugbar sicher lisible identifie identifiee determine determinee connu connue "
    "conserve visibile leggibile identificato identificata identificabile determinato determinata "
    "noto nota conservato disponibile identificado identificada determinado determinada conocido "
    "conocida disponible zichtbaar leesbaar bepaald bekend herkenbaar geidentificeerd ορατο ορατη "
    "ορατοσ αναγνωσιμο γνωστο"
)
_FILL = _vocabulary("die side obverse reverse too too far off flan data value information info")

DITTO_PHRASES = frozenset(
    {
        "same as above", "as above", "same die", "same", "wie oben", "wie vor", "wie vorher",
        "come sopra", "comme ci dessus", "ci dessus", "meme coin", "le meme", "como arriba",
        "el mismo", "lo stesso", "idem", "id", "ibid", "ibidem", "dito", "ditto", "do", "dto",
        "ders", "dgl", "als boven", "zelfde", "ομοιωσ", "ο ιδιοσ", "το ιδιο",
    }
)  # fmt: skip
TOTAL_WORDS = _vocabulary(
    "total totals totale totali totaux totaal totalen subtotal subtotale sum sums summe summen "
    "gesamt gesamtsumme insgesamt zwischensumme endsumme somme sommes suma sumas somma mean "
    "average avg median durchschnitt mittel mittelwert moyenne media promedio gemiddelde συνολο "
    "αθροισμα grand ø min max minimum maximum std sd stdev stddev standardabweichung stabw ecart "
    "deviation deviazione desviacion variance"
)
DOUBT_WORDS = _vocabulary(
    "cf prob probably possibly perhaps maybe likely uncertain unsure doubtful dubious close near "
    "similar like compare see wohl vielleicht vermutlich wahrscheinlich moglicherweise unsicher "
    "fraglich vgl ahnlich nahe peut etre probable probablement incertain incertaine douteux "
    "douteuse proche semblable forse probabile probabilmente incerto incerta simile dubbio quiza "
    "quizas probablemente incierto dudoso parecido misschien waarschijnlijk onzeker mogelijk "
    "vermoedelijk gelijkend πιθανωσ πιθανον αβεβαιο"
)
OR_WORDS = _vocabulary("or oder od bzw resp ou o of η bis to and und et y e en και")
_NUMBER = re.compile(r"\d")
"""No word below holds a digit, most names of dies do."""


@lru_cache(4096)
def says_unknown(cell: str) -> bool:
    """Whether words (not signs) of the cell say that nothing is known: ``n. b.``, ``illisible``,
    ``nicht bestimmbar``, ``#N/A``."""
    if len(cell) > 60 or _NUMBER.search(cell):
        return False
    letters = "".join(letter for letter in plain(cell) if letter.isalnum())
    if letters in UNKNOWN_WORDS:
        return True
    shortened = cell.rstrip().endswith(".") and len(letters) > 2  # unid., illeg.
    if shortened and any(word.startswith(letters) for word in UNKNOWN_WORDS):
        return True
    words = [word for word in re.split(r"[\W_]+", plain(cell)) if word]
    if not words or not all(
        word in UNKNOWN_WORDS or word in NOT_WORDS or word in SEEN_WORDS or word in _FILL
        for word in words
    ):
        return False
    denied = any(w in NOT_WORDS for w in words) and any(w in SEEN_WORDS for w in words)
    return denied or any(word in UNKNOWN_WORDS for word in words) or " ".join(words) == "off flan"


@lru_cache(4096)
def says_ditto(cell: str) -> bool:
    """Whether the cell says "as above": a ditto mark, ``id.``, ``wie oben``."""
    text = cell.strip()
    if not 0 < len(text) <= 20 or _NUMBER.search(text):
        return False
    if not text.strip("\"'”“„″〃»«′´`,-–— ") and text.strip("-–—,' ´`′"):
        return True
    if len(text) < 4 and text.isalpha() and text.isupper():  # dies may be called ID and DO
        return False
    if text in ("''", ",,", "´´", "``", "′′"):
        return True
    return " ".join(w for w in re.split(r"[\W_]+", plain(text)) if w) in DITTO_PHRASES
