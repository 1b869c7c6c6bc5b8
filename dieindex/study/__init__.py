"""The published form of a die study: figures, estimates, link chart, catalogue, plates, report.

A study is written from its ``material``: coins and the dies they are attributed to, of a table
(``reading``) or of an index. ``analysis`` computes all that is said of it (``counts``,
``estimators``, ``uncertainty``, ``ordering``, ``attributes``); the other modules only write that
down, each in one form, and ``folder`` writes them all.
"""
