"""Starting, watching, pausing and ending programs: embedded and real ones alike."""
