"""Step definitions: what the words of the features do, a module a vocabulary."""
