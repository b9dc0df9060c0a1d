"""Standing names with many events (品牌行动)."""
