"""What a person may ask of us about themselves, and what is erased when its time is up."""
