"""Job fairs (招聘会): so far only the checking of lists of jobs."""
