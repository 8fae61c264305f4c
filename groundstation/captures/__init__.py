"""Files of raw bytes decoded offline: reading them, frames and packets, and hints why one gave nothing."""
