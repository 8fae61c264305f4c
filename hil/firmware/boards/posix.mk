# The lander as a process of the host.
PORT := posix
CC := gcc
BOARD_CFLAGS := -O2 -D_POSIX_C_SOURCE=200809L
BOARD_LDFLAGS := -Wl,--build-id=none
OUTPUT := lander
IMAGE := lander
