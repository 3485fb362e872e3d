"""The pytest plugin of a run: settings applied, capabilities, classification of outcomes, the gate."""
