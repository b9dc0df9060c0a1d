"""The pages of people's records, of records that may be one person, and of the city's classes and fields."""
