"""Sheets and tables of coins and dies: which file, its cells as text, what its columns hold."""
