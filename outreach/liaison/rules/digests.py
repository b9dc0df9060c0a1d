"""What a leader is told in the morning, and when nothing is worth a mail."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Morning:
    """What waits for somebody who keeps in touch, in figures only: a mail tells no names."""

    overdue: int
    soon: int
    today: int  # visits planned for today
    late: int  # requests of their talents that are late
    to_confirm: int

    @property
    def is_quiet(self) -> bool:
        """Whether nothing waits: then no mail is sent."""
        return not (self.overdue or self.soon or self.today or self.late or self.to_confirm)
