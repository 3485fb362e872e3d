"""What a run can show for itself: recordings, requirements, deviations, transcripts, outcomes, reports."""
