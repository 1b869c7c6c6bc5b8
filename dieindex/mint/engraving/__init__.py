"""The engraver of the mint: designs as height maps, one module a kind of motif."""
