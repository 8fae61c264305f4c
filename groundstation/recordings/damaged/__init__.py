"""What is left of a recording that SQLite cannot read: `recovery` puts it into a clean one.

`pages` takes rows from the pages of the file, `journal` finds the pages that stand in its journal, `accounting` what is
missing. Nothing here is imported before damage is found; nothing here changes the recording.
"""
