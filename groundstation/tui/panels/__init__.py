"""The parts of the screens, each a function from the model to rows."""
