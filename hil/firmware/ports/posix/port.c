/* The lander as a process: the example of a port, and the firmware's loop without an emulator.
 *
 *     lander          reads standard input, writes standard output
 *     lander 5        reads and writes file descriptor 5, which the parent left open (a socket, a PTY's end)
 *     lander PATH     reads and writes a terminal, a PTY for instance, in raw mode
 *
 * It ends with status 0 when its input does. A reader that stalls holds the lander, as it does an emulator. */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int input = STDIN_FILENO;
static int output = STDOUT_FILENO;

static bool readable(int timeout_ms)
{
    struct pollfd wait = {.fd = input, .events = POLLIN};

    return poll(&wait, 1, timeout_ms) > 0;
}

size_t port_read(uint8_t *bytes, size_t room)
{
    if (!readable(0))
        return 0;
    const ssize_t count = read(input, bytes, room);
    if (count > 0)
        return (size_t)count;
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    exit(EXIT_SUCCESS); /* the other end is gone */
}

void port_write(const uint8_t *bytes, size_t length)
{
    struct pollfd wait = {.fd = output, .events = POLLOUT};

    while (length > 0u) {
        const ssize_t count = write(output, bytes, length);
        if (count >= 0) {
            bytes += count;
            length -= (size_t)count;
        } else if (errno == EAGAIN) {
            (void)poll(&wait, 1, -1);
        } else if (errno != EINTR) {
            exit(EXIT_SUCCESS);
        }
    }
}

uint32_t port_microseconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
}

void port_idle(uint32_t microseconds)
{
    /* poll counts whole milliseconds: the rest is slept, where a byte waits for less than one. */
    if (microseconds >= 1000u) {
        (void)readable((int)(microseconds / 1000u));
        return;
    }
    const struct timespec rest = {.tv_nsec = (long)microseconds * 1000};
    (void)nanosleep(&rest, NULL);
}

void port_alive(void)
{
}

enum port_reset port_reset_reason(void)
{
    return PORT_RESET_POWER_ON;
}

const struct fault *port_fault(void)
{
    return NULL; /* the kernel reports it */
}

static int fail(const char *what)
{
    perror(what);
    return EXIT_FAILURE;
}

/* A terminal that passes every byte as it is. */
static int open_terminal(const char *path)
{
    struct termios raw;
    const int fd = open(path, O_RDWR | O_NOCTTY);

    if (fd < 0 || tcgetattr(fd, &raw) != 0)
        return -1;
    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    return tcsetattr(fd, TCSANOW, &raw) == 0 ? fd : -1;
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        (void)fprintf(stderr, "usage: %s [file descriptor | terminal]\n", argv[0]);
        return EXIT_FAILURE;
    }
    if (argc == 2) {
        char *end;
        const long fd = strtol(argv[1], &end, 10);
        input = *end == '\0' && end != argv[1] ? (int)fd : open_terminal(argv[1]);
        output = input;
        if (fcntl(input, F_GETFD) < 0)
            return fail(argv[1]);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    firmware_run();
}
