"""What a station observes of itself and publishes or logs: health, status, viewers."""
