"""The whole line, from the command to the snapshot, on the practice federation."""
