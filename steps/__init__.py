"""Step definitions: a module for each feature file, or for a vocabulary that several share. None imports another."""
