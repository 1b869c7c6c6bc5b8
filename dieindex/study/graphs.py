"""The graph of dies as GraphML (for Cytoscape, yEd) and GEXF (for Gephi)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

from dieindex.records import OBVERSE, SIDES
from dieindex.study.analysis import DieEntry, Study
from dieindex.study.drawing import COLOUR, clean
from dieindex.study.link_chart import Chart

_NODE_FIELDS = (("label", "string"), ("side", "string"), ("coins", "int"), ("group", "int"))
_EDGE_FIELDS = (("weight", "double"), ("doubtful", "boolean"))


def _entries(study: Study) -> Iterator[DieEntry]:
    for side in SIDES:
        yield from study.dies.get(side, ())


def _links(study: Study) -> Iterator[tuple[str, str, int]]:
    for entry in study.dies.get(OBVERSE, ()):
        for partner, coins in entry.partners.items():
            yield entry.die, partner, coins


def graphml(study: Study) -> bytes:
    """GraphML: nodes with label, side, coins and group, links with their coins as weight."""
    ids = study.ids
    root = ET.Element("graphml", xmlns="http://graphml.graphdrawing.org/xmlns")
    for kind, fields in (("node", _NODE_FIELDS), ("edge", _EDGE_FIELDS)):
        for name, what in fields:
            key = {"id": name, "for": kind, "attr.name": name, "attr.type": what}
            ET.SubElement(root, "key", key)
    graph = ET.SubElement(root, "graph", id="dies", edgedefault="undirected")
    for entry in _entries(study):
        node = ET.SubElement(graph, "node", id=ids[entry.side, entry.die])
        for name, value in _values(entry).items():
            ET.SubElement(node, "data", key=name).text = value
    doubtful = study.doubtful_links
    for number, (obverse, reverse, coins) in enumerate(_links(study), 1):
        ends: dict[str, str] = {
            "source": ids["obverse", obverse],
            "target": ids["reverse", reverse],
        }
        edge = ET.SubElement(graph, "edge", {"id": f"e{number}", **ends})
        ET.SubElement(edge, "data", key="weight").text = str(coins)
        unsure = "true" if (obverse, reverse) in doubtful else "false"
        ET.SubElement(edge, "data", key="doubtful").text = unsure
    return _document(root)


def gexf(study: Study, chart: Chart) -> bytes:
    """GEXF 1.3 with the same, and the dies' colours and places on the chart."""
    ids = study.ids
    root = ET.Element(
        "gexf",
        {
            "xmlns": "http://gexf.net/1.3",
            "xmlns:viz": "http://gexf.net/1.3/viz",
            "version": "1.3",
        },
    )
    meta = ET.SubElement(root, "meta")
    ET.SubElement(meta, "creator").text = "dieindex"
    ET.SubElement(meta, "description").text = clean(f"Die links: {study.material.title}")
    graph = ET.SubElement(root, "graph", defaultedgetype="undirected", mode="static")
    declared = ET.SubElement(graph, "attributes", {"class": "node"})
    for name, what in _NODE_FIELDS[1:]:
        kind = "integer" if what == "int" else what
        ET.SubElement(declared, "attribute", id=name, title=name, type=kind)
    declared = ET.SubElement(graph, "attributes", {"class": "edge"})
    ET.SubElement(declared, "attribute", id="doubtful", title="doubtful", type="boolean")
    nodes, edges = ET.SubElement(graph, "nodes"), ET.SubElement(graph, "edges")
    places = {node: at for placed in chart.groups for node, at in placed.places.items()}
    for entry in _entries(study):
        key = (entry.side, entry.die)
        node = ET.SubElement(nodes, "node", id=ids[key], label=clean(entry.die))
        values = ET.SubElement(node, "attvalues")
        for name, value in _values(entry).items():
            if name != "label":
                ET.SubElement(values, "attvalue", {"for": name, "value": value})
        red, green, blue = (str(int(COLOUR[entry.side][i : i + 2], 16)) for i in (1, 3, 5))
        ET.SubElement(node, "viz:color", r=red, g=green, b=blue)
        x, y = places[key]
        ET.SubElement(node, "viz:position", x=f"{x:.1f}", y=f"{-y:.1f}", z="0")
        ET.SubElement(node, "viz:size", value=f"{8 + 2 * len(entry.coins) ** 0.5:.1f}")
    doubtful = study.doubtful_links
    for number, (obverse, reverse, coins) in enumerate(_links(study), 1):
        ends: dict[str, str] = {
            "source": ids["obverse", obverse],
            "target": ids["reverse", reverse],
        }
        edge = ET.SubElement(edges, "edge", {"id": f"e{number}", "weight": str(coins), **ends})
        values = ET.SubElement(edge, "attvalues")
        unsure = "true" if (obverse, reverse) in doubtful else "false"
        ET.SubElement(values, "attvalue", {"for": "doubtful", "value": unsure})
    return _document(root)


def _values(entry: DieEntry) -> Mapping[str, str]:
    return {
        "label": clean(entry.die),
        "side": entry.side,
        "coins": str(len(entry.coins)),
        "group": str(entry.group),
    }


def _document(root: ET.Element) -> bytes:
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"
