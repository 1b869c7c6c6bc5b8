"""Rendered coins whose dies are known, for training and for tests.

``types`` samples a design and engraves its dies (``engraving``), ``store`` keeps them; ``order``,
``plan`` and ``links`` say which dies strike which coins. ``flan`` samples a coin, ``striking``
strikes it with dies of their age (``dieage``), and ``wear``, ``damage`` and ``casting`` do what the
centuries did. ``light``, ``camera`` and ``grounds`` make the picture of a face (``photography``)
or a whole photograph (``backgrounds``). Every latent value of a face stands in ``parameters``; how
far they range, in ``difficulty``.

Two ways lead in: ``collections`` writes a folder with its sheet and truth, ``stream`` gives batches
for training. Equal seeds give equal bytes. Nothing else of the package is imported but records,
errors and the shared helpers.
"""
