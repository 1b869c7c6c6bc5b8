"""Other ways of telling whether two faces share a die, one a file, to be compared with dieindex.

A matcher is a module here with a class ``Matcher`` (the protocol is
``evaluation.matcher.Matcher``); its file's name is the name by which benchmarks ask for it. Nothing
else has to be changed.
"""
