"""The engraver of the mint: draws the designs of coins as height maps."""
