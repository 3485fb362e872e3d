"""What is known of Zep and LangFlux, once; and what is promised of them: requirements and deviations."""
