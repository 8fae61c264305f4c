"""The panels of a mission's views: columns, bars, light times, what is expected, quality, relays."""
