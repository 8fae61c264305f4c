"""What a mission declares: its packets, their headers, events and commands, and how a mission is loaded."""
