"""Files that leave: tables that features offer, who took them and why, and the file itself."""
