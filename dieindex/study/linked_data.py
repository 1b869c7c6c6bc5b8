"""The study as JSON-LD with the terms of Nomisma.

A coin is a ``nmo:NumismaticObject`` whose ``nmo:hasObverse`` or ``nmo:hasReverse`` has a die. The
die stands behind a node of its own (``nmo:hasDie`` / ``rdf:value``, as die studies are published
on Nomisma), which carries who attributed it (``dcterms:creator``) and how sure (``certainty``).
"""

from __future__ import annotations

import json
from typing import Any

from dieindex.records import SIDES
from dieindex.study.analysis import Study
from dieindex.study.drawing import clean

CONTEXT: dict[str, Any] = {
    "nmo": "http://nomisma.org/ontology#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dcterms": "http://purl.org/dc/terms/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "prov": "http://www.w3.org/ns/prov#",
    "weight": {"@id": "nmo:hasWeight", "@type": "xsd:decimal"},
    "diameter": {"@id": "nmo:hasDiameter", "@type": "xsd:decimal"},
    "axis": {"@id": "nmo:hasAxis", "@type": "xsd:integer"},
    "obverse": {"@id": "nmo:hasObverse"},
    "reverse": {"@id": "nmo:hasReverse"},
    "die": {"@id": "nmo:hasDie"},
    "value": {"@id": "rdf:value", "@type": "@id"},
    "title": "dcterms:title",
    "identifier": "dcterms:identifier",
    "source": "dcterms:source",
    "references": "dcterms:references",
    "found": "nmo:hasFindspot",
    "rights": "dcterms:rights",
    "creator": "dcterms:creator",
    "label": "skos:prefLabel",
    "notation": "skos:notation",
    # No published term says how sure an attribution is: this is the document's own.
    "certainty": {"@id": "urn:dieindex:certainty", "@type": "xsd:decimal"},
    "basis": {"@id": "urn:dieindex:basis"},
}
_TEXTS = {
    "source": "source",
    "reference": "references",
    "find_spot": "found",
    "rights": "rights",
}


def json_ld(study: Study) -> str:
    """The document, one line a coin or die, so that versions can be compared."""
    ids = study.ids
    # (Beside "@graph" these would make it a named graph, which many readers pass over.)
    study_itself = {"@id": "", "title": clean(study.material.title)}
    if study.material.author:
        study_itself["creator"] = clean(study.material.author)
    graph: list[dict[str, Any]] = [study_itself]
    for side in SIDES:
        for entry in study.dies.get(side, ()):
            graph.append(
                {
                    "@id": f"#die-{ids[side, entry.die]}",
                    "@type": "nmo:Die",
                    "notation": clean(entry.die),
                    "label": f"{side} die {clean(entry.die)}",
                }
            )
    for coin in study.coins:
        known = study.known[coin.name]
        item: dict[str, Any] = {
            "@id": f"#coin-{study.number[coin.name]}",
            "@type": "nmo:NumismaticObject",
            "identifier": clean(coin.name),
        }
        for name, value in (
            ("weight", known.weight),
            ("axis", known.axis),
            ("diameter", known.diameter),
        ):
            if value is not None:
                item[name] = str(value)
        for key, name in _TEXTS.items():
            if key in known.texts:
                text = clean(known.texts[key])
                item[name] = {"label": text} if key == "find_spot" else text
        for side in SIDES:
            held = coin.dies.get(side)
            if held is None:
                continue
            die: dict[str, Any] = {"value": f"#die-{ids[side, held.die]}", "basis": held.basis}
            author = held.author or study.material.author
            if author:
                die["creator"] = clean(author)
            if held.certainty is not None:
                die["certainty"] = f"{held.certainty:.4f}"
            item[side] = {"die": die}
        graph.append(item)
    text = json.dumps({"@context": CONTEXT}, ensure_ascii=False, indent=1)
    # "</" cannot end a script should somebody put the document into a page.
    lines = [json.dumps(item, ensure_ascii=False).replace("</", "<\\/") for item in graph]
    return (
        text[:-2].replace("</", "<\\/") + ',\n "@graph": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n"
    )
