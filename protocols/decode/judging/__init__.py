"""Which decoded values to believe, by the checks that the dictionary declares: good, suspect or unusable. Sans-I/O."""
