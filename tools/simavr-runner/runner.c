/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An ATmega328P at 16 MHz in simavr, with its USART0 on a socket or a pseudo-terminal. README.md describes its use.
 *
 * - Time is the chip's: what it computes and how long it sleeps. After every millisecond of it the host is served and
 *   the wall clock is waited for. With --fast only idle sleep is waited for: computing, sending and receiving take no
 *   longer than simavr needs for them.
 * - Up, a byte reaches the USART in every byte time; what the chip does not fetch is lost, as in the chip. simavr would
 *   buffer 64 and hand them over two at a time.
 * - Down, nothing is lost: a reader that stalls holds the machine. On a pseudo-terminal that is not open there is no
 *   reader; opening it pulls the reset line, as on an Arduino.
 * - It ends when its socket is closed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_cycle_timers.h>
#include <simavr/sim_hex.h>
#include <simavr/sim_io.h>

#define CLOCK_HZ 16000000u
#define MILLISECOND (CLOCK_HZ / 1000u) /* in cycles */
#define PAINT 0xA5 /* what RAM holds at power on: the stack shows how deep it was */
#define RAM_START 0x100u
#define RAM_SIZE 2048u
/* As data addresses. */
#define MCUSR 0x54
#define UCSR0A 0xC0
#define U2X0 0x02
#define UBRR0L 0xC4
#define POWER_ON 0x01 /* bits of MCUSR */
#define RESET_PIN 0x02
#define BITS_OF_A_BYTE 10u /* 8N1 */
#define UNREAD_MAX 3u /* two in the USART's buffer, one in its shift register */
#define BOOT_NS INT64_C(200000000)
#define LATE_NS INT64_C(1000000000) /* beyond this lateness the runner does not catch up */

static avr_t *avr;
static avr_uart_t *uart;
static avr_irq_t *uart_input;
static uint8_t up[4096], down[4096]; /* on the way to and from the chip */
static size_t up_first, up_end, down_end;
static int wire = -1; /* the host's end of the USART */
static bool terminal, in_use; /* it is a pseudo-terminal; it is open */
static int control = -1;
static bool fast, halted;
static avr_cycle_count_t idle; /* cycles slept while the line was quiet */
static int64_t epoch; /* wall time, in ns, of cycle 0 */

static _Noreturn void die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)fputs("simavr-runner: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    exit(EXIT_FAILURE);
}

/* ---- the chip's end of the line ---- */

/* simavr's own figure counts a parity bit that is not there. */
static avr_cycle_count_t byte_cycles(void)
{
    const unsigned divider = (unsigned)(avr->data[UBRR0L] | avr->data[UBRR0L + 1] << 8) + 1u;

    return divider * BITS_OF_A_BYTE * ((avr->data[UCSR0A] & U2X0) != 0 ? 8u : 16u);
}

static avr_cycle_count_t feed(avr_t *chip, avr_cycle_count_t when, void *unused)
{
    (void)chip;
    (void)unused;
    if (up_first == up_end)
        return 0;
    if (((unsigned)(uart->input.write - uart->input.read) & 63u) < UNREAD_MAX)
        avr_raise_irq(uart_input, up[up_first]);
    up_first++;
    return when + uart->cycles_per_byte;
}

static bool feeding(void)
{
    return avr_cycle_timer_status(avr, feed, NULL) != 0;
}

static void send_down(void);

static void on_output(avr_irq_t *irq, uint32_t value, void *unused)
{
    (void)irq;
    (void)unused;
    if (down_end == sizeof down)
        send_down();
    down[down_end++] = (uint8_t)value;
}

static void on_sleep(avr_t *chip, avr_cycle_count_t cycles)
{
    (void)chip;
    if (uart->tx_cnt == 0 && !feeding())
        idle += cycles;
}

/* The runner's own resets; all others are the watchdog's. */
static bool resetting;

static void on_reset(avr_t *chip)
{
    if (!resetting)
        (void)fprintf(stderr, "watchdog reset after %" PRIu64 " us\n", (uint64_t)chip->cycle / (CLOCK_HZ / 1000000u));
}

static void reset(uint8_t why)
{
    resetting = true;
    avr_reset(avr); /* RAM stays as it is */
    resetting = false;
    avr->data[MCUSR] = why;
}

/* ---- the host's end ---- */

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* How long the wall clock should have run by now. */
static int64_t elapsed_ns(void)
{
    return (int64_t)((fast ? idle : avr->cycle) * 1000u / (CLOCK_HZ / 1000000u));
}

static void pace(void)
{
    const int64_t due = epoch + elapsed_ns();
    const int64_t late = now_ns() - due;
    const struct timespec until = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000};

    if (late < 0)
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    else if (late > LATE_NS)
        epoch += late;
}

/* Whether the pseudo-terminal is open. */
static bool opened(void)
{
    struct pollfd end = {.fd = wire};

    return poll(&end, 1, 0) >= 0 && (end.revents & POLLHUP) == 0;
}

static void send_down(void)
{
    size_t sent = 0;

    while (sent < down_end && (!terminal || opened())) {
        const ssize_t count = write(wire, down + sent, down_end - sent);
        struct pollfd room = {.fd = wire, .events = POLLOUT};
        if (count > 0)
            sent += (size_t)count;
        else if (errno == EAGAIN)
            (void)poll(&room, 1, -1); /* ends by a hang-up too */
        else if (errno != EINTR)
            break;
    }
    down_end = 0;
}

static void receive_up(void)
{
    const ssize_t count = read(wire, up, sizeof up);

    up_first = 0;
    up_end = count > 0 ? (size_t)count : 0;
    if (!terminal && (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)))
        exit(EXIT_SUCCESS);
}

/* The pseudo-terminal was opened or closed. A program that opens a port discards what is there, so the chip begins
 * a little later, as after a boot loader. */
static void change_hands(void)
{
    static const struct timespec boot = {.tv_nsec = BOOT_NS};

    in_use = !in_use;
    down_end = 0;
    if (!in_use)
        return;
    (void)nanosleep(&boot, NULL);
    epoch += BOOT_NS;
    reset(RESET_PIN);
}

static void serve_wire(void)
{
    if (terminal && opened() != in_use)
        change_hands();
    send_down();
    if (up_first == up_end)
        receive_up();
    uart->cycles_per_byte = byte_cycles();
    if (up_first < up_end && !feeding())
        avr_cycle_timer_register(avr, 1, feed, NULL);
}

/* ---- orders: one packet each, answered by one ---- */

static void answer(const char *text)
{
    if (send(control, text, strlen(text), MSG_NOSIGNAL) < 0)
        exit(EXIT_SUCCESS);
}

static bool in_ram(unsigned at, size_t count)
{
    return at >= RAM_START && at + count <= RAM_START + RAM_SIZE;
}

static void read_ram(unsigned at, unsigned count)
{
    char hex[2 * RAM_SIZE + 1] = "";

    for (unsigned n = 0; n < count; n++)
        (void)sprintf(hex + 2 * n, "%02x", avr->data[at + n]);
    answer(hex);
}

static void write_ram(unsigned at, const char *hex)
{
    unsigned byte;

    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        avr->data[at++] = (uint8_t)byte;
    answer("ok");
}

static void obey(const char *order)
{
    unsigned at, count;
    int hex = 0;

    if (strcmp(order, "halt") == 0) {
        halted = true;
        answer("ok");
    } else if (strcmp(order, "go") == 0) {
        halted = false;
        epoch = now_ns() - elapsed_ns();
        answer("ok");
    } else if (sscanf(order, "reset %u", &at) == 1) {
        reset((uint8_t)at);
        answer("ok");
    } else if (sscanf(order, "read %x %u", &at, &count) == 2 && count <= RAM_SIZE && in_ram(at, count)) {
        read_ram(at, count);
    } else if (sscanf(order, "write %x %n", &at, &hex) == 1 && hex > 0 && in_ram(at, strlen(order + hex) / 2)) {
        write_ram(at, order + hex);
    } else {
        answer("error");
    }
}

static void take_orders(void)
{
    char order[2 * RAM_SIZE + 64];
    ssize_t count;

    if (control < 0)
        return;
    while ((count = recv(control, order, sizeof order - 1, halted ? 0 : MSG_DONTWAIT)) > 0) {
        order[count] = '\0';
        obey(order);
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR))
        exit(EXIT_SUCCESS);
}

/* ---- setting up ---- */

static void say_errors(avr_t *chip, const int level, const char *format, va_list arguments)
{
    (void)chip;
    if (level <= LOG_ERROR)
        (void)vfprintf(stderr, format, arguments);
}

static void set_up_chip(const char *path)
{
    uint32_t size, base, flags = 0; /* of the UART: no copy on standard output, no naps */

    avr_global_logger_set(say_errors);
    if (access(path, R_OK) != 0)
        die("%s: %s", path, strerror(errno));
    uint8_t *image = read_ihex_file(path, &size, &base);
    avr = avr_make_mcu_by_name("atmega328p");
    if (image == NULL || avr == NULL || avr_init(avr) != 0 || base + size > avr->flashend + 1u)
        die("%s is no .hex file for an ATmega328P", path);
    avr->frequency = CLOCK_HZ;
    avr_loadcode(avr, image, size, base);
    avr->codeend = avr->flashend;
    (void)avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    uart_input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_output, NULL);
    for (avr_io_t *io = avr->io_port; io != NULL; io = io->next) {
        if (strcmp(io->kind, "uart") == 0)
            uart = (avr_uart_t *)io;
    }
    avr->sleep = on_sleep;
    avr->reset = on_reset;
    avr->run_cycle_limit = MILLISECOND;
    memset(avr->data + RAM_START, PAINT, RAM_SIZE);
    avr->data[MCUSR] = POWER_ON;
}

static void open_terminal(void)
{
    struct termios raw;

    wire = posix_openpt(O_RDWR | O_NOCTTY);
    if (wire < 0 || grantpt(wire) != 0 || unlockpt(wire) != 0)
        die("no pseudo-terminal: %s", strerror(errno));
    const int slave = open(ptsname(wire), O_RDWR | O_NOCTTY);
    if (slave < 0 || tcgetattr(slave, &raw) != 0)
        die("%s: %s", ptsname(wire), strerror(errno));
    cfmakeraw(&raw);
    (void)tcsetattr(slave, TCSANOW, &raw);
    (void)close(slave);
    (void)printf("%s\n", ptsname(wire));
    (void)fflush(stdout);
}

static _Noreturn void simulate(void)
{
    epoch = now_ns();
    for (;;) {
        const avr_cycle_count_t end = avr->cycle + MILLISECOND;
        while (avr->cycle < end) {
            const int state = avr_run(avr);
            if (state == cpu_Done || state == cpu_Crashed)
                die("the firmware crashed at 0x%04x", avr->pc);
        }
        serve_wire();
        take_orders();
        pace();
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"fd", 1, NULL, 'd'}, {"pty", 0, NULL, 't'}, {"control", 1, NULL, 'c'}, {"fast", 0, NULL, 'f'}, {0},
    };
    int option;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'd': wire = atoi(optarg); break;
        case 't': terminal = true; break;
        case 'c': control = atoi(optarg); break;
        case 'f': fast = true; break;
        default: optind = argc; break;
        }
    }
    if (optind + 1 != argc || terminal == (wire >= 0))
        die("usage: simavr-runner --fd N | --pty [--control N] [--fast] FIRMWARE.hex");
    set_up_chip(argv[optind]);
    if (terminal)
        open_terminal();
    if (fcntl(wire, F_SETFL, O_NONBLOCK) != 0)
        die("descriptor %d: %s", wire, strerror(errno));
    simulate();
}
