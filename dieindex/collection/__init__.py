"""Read photographs and sheets, find the flans, cut and normalise the faces.

The modules are imported one by one by those who need them (``dieindex.collection.layout``,
``.pictures``, ``.sheets``, ``.overrides``): nothing heavy is loaded with the package itself.
"""
