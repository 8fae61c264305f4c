"""The documents: their links, their code blocks, and that the reference says what the program does."""
