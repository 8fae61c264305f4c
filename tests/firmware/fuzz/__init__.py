"""libFuzzer on the C command path: the target, its runner, and the corpus that it found."""
