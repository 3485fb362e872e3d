"""Measurements: the figures to hold, as ratios of things run side by side."""
