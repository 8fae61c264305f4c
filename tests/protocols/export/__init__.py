"""The exports: compiled, validated, compared with the declaration."""
