"""The pages of privacy: of the person (public) and of the office (desk)."""
