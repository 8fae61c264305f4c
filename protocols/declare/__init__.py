"""What a mission declares: its dictionary of packets, events and commands, and how one is loaded."""
