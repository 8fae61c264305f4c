"""How rows are drawn: spans, tones, glyphs, the panel that paints only what changed."""
