/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An ATmega328P in simavr with its UART on a socket or a pseudo-terminal. A test tool: README.md tells how it is used. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_core.h>
#include <simavr/sim_cycle_timers.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_hex.h>
#include <simavr/sim_interrupts.h>

#define PAINT 0xA5
/* As data addresses, on the ATmega328P. */
#define MCUSR 0x54
#define UCSR0A 0xC0
#define U2X0 0x02
#define UBRR0L 0xC4
#define POLL_CYCLES 16000u /* the host is looked at once a simulated millisecond */
#define HALT_MS 5
#define BIT_TIMES 10u /* 8N1 */
#define QUIET_CALLS 8u /* this many loops without a byte: all that came was taken and answered */
#define LATE_NS INT64_C(1000000000) /* stopped for longer: go on without catching up */
#define NO_PC 0xFFFFFFFFu

struct queue {
    uint8_t *bytes;
    size_t first, end, room;
};

static avr_t *avr;
static avr_uart_t *uart;
static avr_irq_t *uart_input;
static struct queue up, down, replies;
static int wire = -1;     /* what the UART is joined to; -1: nobody */
static int listener = -1; /* --unix */
static bool terminal;     /* --pty */
static int control = -1;
static bool fast, halted;
static bool feeding;   /* the timer of `up` runs */
static bool listening; /* in lockstep: from the first call of lander_step on */
static int64_t epoch_ns; /* wall time of cycle 0 */
static bool lockstep, answering;
static uint32_t step_pc = NO_PC, hello_pc = NO_PC;
static unsigned long granted, calls;
static unsigned quiet;
static char line[4096];
static size_t line_length;

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

/* ---- bytes that wait ---- */

static size_t waiting(const struct queue *q)
{
    return q->end - q->first;
}

static void put(struct queue *q, const void *bytes, size_t count)
{
    if (q->first == q->end)
        q->first = q->end = 0;
    if (q->end + count > q->room) {
        q->room = 2 * (q->end + count);
        q->bytes = realloc(q->bytes, q->room);
        if (q->bytes == NULL)
            die("no memory");
    }
    memcpy(q->bytes + q->end, bytes, count);
    q->end += count;
}

/* ---- the machine's end of the wire ---- */

/* The AVR sent a byte. */
static void on_output(avr_irq_t *irq, uint32_t value, void *unused)
{
    const uint8_t byte = (uint8_t)value;

    (void)irq;
    (void)unused;
    quiet = 0;
    put(&down, &byte, 1);
}

/* A byte's time on the wire by the chip's own divider: simavr counts a parity bit too many, and in microseconds. */
static avr_cycle_count_t byte_cycles(void)
{
    const unsigned divider = (unsigned)(avr->data[UBRR0L] | avr->data[UBRR0L + 1] << 8) + 1u;

    return divider * BIT_TIMES * ((avr->data[UCSR0A] & U2X0) != 0 ? 8u : 16u);
}

/* Bytes up at the pace of the wire. simavr's own queue takes 64, and passes them on at that pace again: no more than
 * one is put there ahead of time. What the firmware does not keep is its own loss. */
static avr_cycle_count_t feed(avr_t *machine, avr_cycle_count_t when, void *unused)
{
    (void)machine;
    (void)unused;
    feeding = waiting(&up) > 0;
    if (!feeding)
        return 0;
    quiet = 0;
    if (((uart->input.write - uart->input.read) & 63u) < 2)
        avr_raise_irq(uart_input, up.bytes[up.first++]);
    return when + byte_cycles() / 4;
}

/* ---- the host's end ---- */

static void send_down(void)
{
    while (waiting(&down) > 0 && wire >= 0) {
        const ssize_t sent = write(wire, down.bytes + down.first, waiting(&down));
        if (sent > 0) {
            down.first += (size_t)sent;
            continue;
        }
        struct pollfd room = {.fd = wire, .events = POLLOUT};
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent >= 0 || errno != EAGAIN)
            break;
        /* A reader that stalls holds the machine: nothing is lost. A PTY without a reader takes nothing, ever. */
        (void)poll(&room, 1, 100);
        if (terminal && (room.revents & POLLHUP) != 0)
            break;
    }
    down.first = down.end; /* nobody listens */
}

static void hang_up(void)
{
    if (listener < 0 && !terminal)
        exit(EXIT_SUCCESS);
    if (!terminal) {
        (void)close(wire);
        wire = -1;
    }
}

static void receive_up(void)
{
    uint8_t bytes[4096];

    while (wire >= 0) {
        const ssize_t count = read(wire, bytes, sizeof bytes);
        if (count > 0) {
            put(&up, bytes, (size_t)count);
            continue;
        }
        if (count < 0 && errno == EINTR)
            continue;
        if (count == 0 || (errno != EAGAIN && errno != EIO))
            hang_up();
        return;
    }
}

static void nonblocking(int fd)
{
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        die("descriptor %d: %s", fd, strerror(errno));
}

static void accept_client(void)
{
    if (listener < 0 || wire >= 0)
        return;
    wire = accept(listener, NULL, NULL);
    if (wire >= 0)
        nonblocking(wire);
}

/* ---- orders: one line, one answer ---- */

static void reply(const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put(&replies, text, (size_t)length);
}

static void flush_replies(void)
{
    while (waiting(&replies) > 0) {
        const ssize_t sent = write(control, replies.bytes + replies.first, waiting(&replies));
        if (sent > 0) {
            replies.first += (size_t)sent;
        } else if (sent < 0 && errno == EAGAIN) {
            struct pollfd room = {.fd = control, .events = POLLOUT};
            (void)poll(&room, 1, 100);
        } else if (sent >= 0 || errno != EINTR) {
            exit(EXIT_SUCCESS);
        }
    }
}

static bool in_memory(unsigned long at, unsigned long count)
{
    return at <= avr->ramend && count <= avr->ramend + 1ul - at;
}

static void order_read(unsigned long at, unsigned long count)
{
    for (unsigned long offset = 0; offset < count; offset++)
        reply("%02x", avr->data[at + offset]);
    reply("\n");
}

static void order_write(unsigned long at, const char *hex)
{
    const size_t count = strlen(hex) / 2;

    for (size_t offset = 0; offset < count; offset++) {
        unsigned byte;
        if (sscanf(hex + 2 * offset, "%2x", &byte) != 1) {
            reply("error: not hexadecimal\n");
            return;
        }
        avr->data[at + offset] = (uint8_t)byte;
    }
    reply("ok\n");
}

static void start(uint8_t reason)
{
    avr_reset(avr);
    avr->data[MCUSR] = reason;
}

static void order_reset(const char *how)
{
    static const char *const names[] = {"power", "pin", "brown-out", "watchdog"}; /* by their bits in MCUSR */

    for (unsigned bit = 0; bit < 4; bit++) {
        if (strcmp(how, names[bit]) == 0) {
            start((uint8_t)(1u << bit));
            reply("ok\n");
            return;
        }
    }
    reply("error: reset power, pin, brown-out or watchdog\n");
}

static void obey(char *text)
{
    unsigned long at, count;
    char word[2049];

    if (sscanf(text, "step %lu", &count) == 1) {
        if (!lockstep) {
            reply("error: not in lockstep\n");
            return;
        }
        receive_up(); /* what was sent before the order comes before the steps */
        granted = count;
        quiet = 0;
        answering = true;
    } else if (sscanf(text, "read %lu %lu", &at, &count) == 2 && in_memory(at, count)) {
        order_read(at, count);
    } else if (sscanf(text, "write %lu %2048s", &at, word) == 2 && in_memory(at, strlen(word) / 2)) {
        order_write(at, word);
    } else if (sscanf(text, "reset %15s", word) == 1) {
        order_reset(word);
    } else if (strcmp(text, "halt") == 0 || strcmp(text, "go") == 0) {
        halted = text[0] == 'h';
        reply("ok\n");
    } else if (sscanf(text, "jump %lu", &at) == 1 && at <= avr->flashend) {
        avr->pc = (avr_flashaddr_t)at;
        reply("ok\n");
    } else if (strcmp(text, "cycles") == 0) {
        reply("%llu\n", (unsigned long long)avr->cycle);
    } else if (strcmp(text, "quit") == 0) {
        exit(EXIT_SUCCESS);
    } else {
        reply("error: %.60s\n", text);
    }
}

static void take_orders(void)
{
    while (control >= 0) {
        const ssize_t count = read(control, line + line_length, sizeof line - 1 - line_length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count <= 0)
            exit(EXIT_SUCCESS); /* who gave the orders is gone */
        line_length += (size_t)count;
        line[line_length] = '\0';
        for (char *end = strchr(line, '\n'); end != NULL; end = strchr(line, '\n')) {
            *end = '\0';
            obey(line);
            flush_replies();
            line_length -= (size_t)(end + 1 - line);
            memmove(line, end + 1, line_length + 1);
        }
        if (line_length == sizeof line - 1)
            die("an order is too long");
    }
}

/* ---- time ---- */

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int64_t ns_of(avr_cycle_count_t cycle)
{
    return (int64_t)(cycle / avr->frequency * 1000000000u
                     + cycle % avr->frequency * 1000000000u / avr->frequency);
}

/* Wait until the host has something to say, or for so long; none is for ever. True if it has. */
static bool wait_for_host(int64_t ns)
{
    struct pollfd fds[] = {
        {.fd = wire, .events = POLLIN},
        {.fd = control, .events = POLLIN},
        {.fd = wire < 0 ? listener : -1, .events = POLLIN},
    };
    const struct timespec limit = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    const bool ready = ppoll(fds, 3, ns < 0 ? NULL : &limit, NULL) > 0;

    if (ready && terminal && (fds[0].revents & (POLLIN | POLLHUP)) == POLLHUP)
        (void)usleep(1000); /* nobody has opened it: poll would not wait */
    return ready;
}

static void serve_host(void)
{
    accept_client();
    receive_up();
    take_orders();
    send_down();
    uart->cycles_per_byte = byte_cycles();
    if (!feeding && listening && waiting(&up) > 0) {
        feeding = true;
        avr_cycle_timer_register(avr, 1, feed, NULL);
    }
}

/* Let the clock on the wall come up to that of the machine. */
static void pace(void)
{
    const int64_t ahead = epoch_ns + ns_of(avr->cycle) - now_ns();

    if (ahead < -LATE_NS)
        epoch_ns -= ahead;
    else if (ahead > 0)
        (void)wait_for_host(ahead);
}

/* How many of `cycles` of sleep pass before the host speaks: all, if time is skipped. */
static avr_cycle_count_t nap(avr_cycle_count_t cycles)
{
    if (fast || lockstep)
        return cycles;
    send_down();
    const int64_t ahead = epoch_ns + ns_of(avr->cycle + cycles) - now_ns();
    if (ahead <= 0 || !wait_for_host(ahead))
        return cycles;
    const int64_t left = epoch_ns + ns_of(avr->cycle + cycles) - now_ns();
    const avr_cycle_count_t rest = left > 0 ? (avr_cycle_count_t)(left / 1000 * (avr->frequency / 1000) / 1000) : 0u;
    serve_host();
    return rest < cycles ? cycles - rest : 1u;
}

/* As simavr's own loop, with our idea of sleep. */
static void run(avr_t *machine)
{
    avr_flashaddr_t next = machine->pc;

    if (machine->state == cpu_Running)
        next = avr_run_one(machine);
    const avr_cycle_count_t sleep = avr_cycle_timer_process(machine);
    machine->pc = next;
    if (machine->state == cpu_Sleeping) {
        if (machine->sreg[S_I] == 0)
            die("asleep with interrupts off, for ever");
        machine->cycle += 1 + nap(sleep);
    }
    if (machine->state == cpu_Running || machine->state == cpu_Sleeping)
        avr_service_interrupts(machine);
}

/* ---- lockstep: the firmware as it is, but its calls of lander_step go through when they are granted ---- */

/* As if the function that is about to begin had returned. */
static void skip_call(void)
{
    const uint16_t sp = _avr_sp_get(avr);

    avr->pc = ((uint32_t)avr->data[sp + 1] << 8 | avr->data[sp + 2]) * 2u;
    _avr_sp_set(avr, (uint16_t)(sp + 2u));
}

static void at_step(void)
{
    listening = true;
    if (waiting(&up) == 0 && granted > 0 && quiet >= QUIET_CALLS) {
        granted--;
        calls++;
        quiet = granted > 0 ? QUIET_CALLS : 0; /* nothing comes up between steps of one order */
        return;
    }
    quiet++;
    skip_call();
    if (waiting(&up) > 0 || granted > 0 || quiet < QUIET_CALLS)
        return;
    send_down();
    if (answering)
        reply("ok %lu\n", calls);
    answering = false;
    flush_replies();
    while (!answering && waiting(&up) == 0) { /* time stands */
        (void)wait_for_host(-1);
        serve_host();
    }
}

static void simulate(void)
{
    avr_cycle_count_t look = 0;

    for (;;) {
        if (avr->pc == step_pc)
            at_step();
        else if (avr->pc == hello_pc)
            skip_call();
        const int state = avr_run(avr);
        if (state == cpu_Done || state == cpu_Crashed)
            die("the machine crashed at 0x%04x", avr->pc);
        if (avr->cycle < look)
            continue;
        look = avr->cycle + POLL_CYCLES;
        serve_host();
        while (halted) {
            (void)wait_for_host(HALT_MS * INT64_C(1000000));
            serve_host();
            epoch_ns = now_ns() - ns_of(avr->cycle);
        }
        if (!fast && !lockstep)
            pace();
    }
}

/* ---- setting up ---- */

static void say_errors(avr_t *machine, const int level, const char *format, va_list arguments)
{
    (void)machine;
    if (level <= LOG_ERROR)
        (void)vfprintf(stderr, format, arguments);
}

static uint32_t symbol(const elf_firmware_t *firmware, const char *name)
{
    for (uint32_t at = 0; at < firmware->symbolcount; at++) {
        if (strcmp(firmware->symbol[at]->symbol, name) == 0)
            return firmware->symbol[at]->addr;
    }
    die("lockstep needs an ELF with the symbol %s", name);
}

static void load(const char *path, const char *mcu, uint32_t frequency)
{
    elf_firmware_t firmware = {0};
    const size_t length = strlen(path);
    const bool hex = length > 4 && strcmp(path + length - 4, ".hex") == 0;
    uint32_t size = 0, base = 0;
    uint8_t *image = NULL;

    if (access(path, R_OK) != 0)
        die("%s: %s", path, strerror(errno));
    if (hex ? (image = read_ihex_file(path, &size, &base)) == NULL : elf_read_firmware(path, &firmware) != 0)
        die("%s is neither an ELF nor a .hex file", path);
    avr = avr_make_mcu_by_name(mcu);
    if (avr == NULL)
        die("simavr knows no %s", mcu);
    if (avr_init(avr) != 0)
        die("simavr cannot set up the %s", mcu);
    avr->frequency = frequency;
    if (hex) {
        avr_loadcode(avr, image, size, base);
        avr->codeend = avr->flashend;
    } else {
        firmware.frequency = frequency;
        avr_load_firmware(avr, &firmware);
    }
    if (lockstep) {
        step_pc = symbol(&firmware, "lander_step");
        hello_pc = symbol(&firmware, "lander_hello");
    }
}

static void set_up_machine(void)
{
    uint32_t flags = 0; /* neither a copy on standard output nor naps of simavr's own */

    (void)avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    uart_input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_t *output = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT);
    for (avr_io_t *io = avr->io_port; io != NULL; io = io->next) {
        if (strcmp(io->kind, "uart") == 0)
            uart = (avr_uart_t *)io;
    }
    if (uart == NULL || uart_input == NULL || output == NULL)
        die("this MCU has no UART0");
    listening = !lockstep;
    avr_irq_register_notify(output, on_output, NULL);
    avr->run = run;
    avr->run_cycle_limit = lockstep ? 1u : POLL_CYCLES;
    memset(avr->data + avr->ioend + 1, PAINT, (size_t)(avr->ramend - avr->ioend));
    avr->data[MCUSR] = 1u; /* power on */
}

static void open_terminal(void)
{
    struct termios raw;

    wire = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (wire < 0 || grantpt(wire) != 0 || unlockpt(wire) != 0)
        die("no pseudo-terminal: %s", strerror(errno));
    const int slave = open(ptsname(wire), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || tcgetattr(slave, &raw) != 0)
        die("%s: %s", ptsname(wire), strerror(errno));
    cfmakeraw(&raw);
    (void)tcsetattr(slave, TCSANOW, &raw);
    (void)close(slave);
    terminal = true;
    (void)printf("%s\n", ptsname(wire));
    (void)fflush(stdout);
}

static void listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        die("%s: too long for a socket", path);
    (void)strcpy(address.sun_path, path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0)
        die("%s: %s", path, strerror(errno));
    (void)printf("%s\n", path);
    (void)fflush(stdout);
}

static const char usage[] =
    "usage: simavr-runner [--fd N | --pty | --unix PATH] [--control N] [--fast | --lockstep]\n"
    "                     [--mcu atmega328p] [--frequency 16000000] FIRMWARE.elf|.hex\n";

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"fd", 1, NULL, 'd'},   {"pty", 0, NULL, 't'},      {"unix", 1, NULL, 'u'}, {"control", 1, NULL, 'c'},
        {"fast", 0, NULL, 'f'}, {"lockstep", 0, NULL, 'l'}, {"mcu", 1, NULL, 'm'},
        {"help", 0, NULL, 'h'}, {"frequency", 1, NULL, 'q'}, {0},
    };
    const char *mcu = "atmega328p";
    const char *path = NULL;
    uint32_t frequency = 16000000;
    int option;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == 1)
        die("whoever started this is gone");
    avr_global_logger_set(say_errors);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'd': wire = atoi(optarg); break;
        case 't': terminal = true; break;
        case 'u': path = optarg; break;
        case 'c': control = atoi(optarg); break;
        case 'f': fast = true; break;
        case 'l': lockstep = true; break;
        case 'm': mcu = optarg; break;
        case 'q': frequency = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'h': (void)fputs(usage, stdout); return EXIT_SUCCESS;
        default: (void)fputs(usage, stderr); return 2;
        }
    }
    const int ways = (wire >= 0) + terminal + (path != NULL);
    if (optind + 1 != argc || ways != 1 || frequency < 1000000 || (lockstep && control < 0)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    load(argv[optind], mcu, frequency);
    set_up_machine();
    if (terminal)
        open_terminal();
    if (path != NULL)
        listen_at(path);
    if (wire >= 0)
        nonblocking(wire);
    if (control >= 0)
        nonblocking(control);
    epoch_ns = now_ns();
    simulate();
}
