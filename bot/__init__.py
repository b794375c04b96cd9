"""Portside: a documentation site that answers questions in its own words.

site/ ─► sections ─► index ─► retrieval ─► answer ─► faces ─► reader
         Section     Index     Hit         Answer    web + widget · slack · command line

Each file knows only the files before it: errors → sections, encoder, adapter → words → glossary, index → retrieval
→ verdict → answer, journal → faces → settings, app → llms, building, golden → plots, benchmark, tuning, quality,
cli. A test holds that order.
"""
