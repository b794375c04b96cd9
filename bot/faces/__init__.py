"""A face turns a request into a question and an Answer into its medium, and does nothing else.

It imports `answer`, `journal` and `errors`, never the index, never another face.
"""
