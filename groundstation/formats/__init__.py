"""How values, times, names and text are written, in every outlet: files, JSON, terminals."""
