"""What a station, its viewers and its recordings say to each other, as typed values, and in words. Sans-I/O."""
