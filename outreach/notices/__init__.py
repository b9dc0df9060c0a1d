"""Messages to people: written with what they tell of, carried by mail and SMS, each with a state."""
