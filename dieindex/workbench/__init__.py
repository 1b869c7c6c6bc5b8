"""The workbench: a die study made in the browser.

``serve`` starts a server for this machine alone; ``app`` lists its pages and what they ask. Every
answer is a call of ``dieindex.api``; nothing is decided here.
"""
