/* The command path fuzzed: bytes up, ticks in between; under sanitizers.
 *
 * An input begins with where the descent stands: power on, or one of the ticks below. Then come orders: one byte what,
 * one byte how many, and as many bytes.
 *   0  the bytes come up as they are
 *   1  they come up as one TC frame: an FECF is added, and a CLTU put around
 *   2  they come up as one packet: its CRC is added, and a good TC frame put around, of type B, or in sequence
 *   3  no bytes follow: so many ticks are flown, as long as there are any left
 *
 * Held at all times: frames are whole and their FECF is right unless the chip is broken, state is in range. At the end:
 * whatever came, RESET and PING are answered.
 *
 * Built with -fsanitize=fuzzer, or with -DREPLAY: then the arguments are files, each an input. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/tc_check.h"
#include "core/crc.h"
#include "core/lander.h"

#define HOLDS(what) ((what) ? (void)0 : broken(#what, __LINE__))
#define STEPS_MAX 100u /* of one input; what STEP asks for flies within them */
#define ORDERS_MAX 0xFFu
#define TYPE_BD 0x20u
#define FRAME_OVERHEAD 7u
#define PACKET_OVERHEAD 2u

/* Just before what happens on the way down, and after it. */
static const struct {
    uint8_t profile;
    mission_tick tick;
} places[] = {
    {MARS6_SELECT_PROFILE_PROFILE_HISTORICAL, 0},       {MARS6_SELECT_PROFILE_PROFILE_HISTORICAL, 870},
    {MARS6_SELECT_PROFILE_PROFILE_HISTORICAL, 1500},    {MARS6_SELECT_PROFILE_PROFILE_HISTORICAL, 3090},
    {MARS6_SELECT_PROFILE_PROFILE_HISTORICAL, 3200},    {MARS6_SELECT_PROFILE_PROFILE_SOFT_LANDING, 3110},
    {MARS6_SELECT_PROFILE_PROFILE_SOFT_LANDING, 3150},  {MARS6_SELECT_PROFILE_PROFILE_SOFT_LANDING, 4530},
};
#define PLACES (sizeof places / sizeof *places)

static struct lander places_flown[PLACES];
static struct lander lander;
static unsigned steps;
static uint8_t wanted[4]; /* what a report has to name */
static bool heard;

static void broken(const char *what, int line)
{
    (void)fprintf(stderr, "line %d: it does not hold that %s\n", line, what);
    abort();
}

static void on_frame(void *port, const uint8_t *bytes, size_t length)
{
    static const uint8_t sync[ASM_SIZE] = {0x1A, 0xCF, 0xFC, 0x1D};
    bool faulty = false;

    HOLDS(port == &lander);
    HOLDS(length == WIRE_SIZE);
    for (unsigned fault = 0; fault < CHIP_FAULTS; fault++)
        faulty = faulty || lander.chip.levels[fault] > 0u;
    HOLDS(faulty || (memcmp(bytes, sync, sizeof sync) == 0 && crc16(bytes + ASM_SIZE, FRAME_SIZE) == 0u));
    for (size_t at = 0; at + sizeof wanted <= length; at++)
        heard = heard || memcmp(bytes + at, wanted, sizeof wanted) == 0;
}

static void check_state(void)
{
    HOLDS(lander.mode <= LANDER_HELD);
    HOLDS(lander.tick <= lander.end_tick);
    HOLDS(lander.commands.count <= COMMANDS_LIMIT);
    HOLDS(lander.transmitter.lander.queue.waiting <= QUEUE_LIMIT);
    HOLDS(lander.transmitter.bus.queue.waiting <= QUEUE_LIMIT);
    HOLDS(lander.transmitter.lander.carry_length <= CARRY_MAX && lander.transmitter.bus.carry_length <= CARRY_MAX);
    HOLDS(lander.frame_period >= 1u && lander.frame_period <= 100u);
    HOLDS(lander_period_us(&lander) >= 1000u && lander_period_us(&lander) <= 1000000u);
}

static void up(const uint8_t *bytes, size_t length)
{
    lander_receive(&lander, bytes, length);
    check_state();
}

static void step(unsigned count)
{
    for (; count > 0u && steps < STEPS_MAX; count--, steps++) {
        lander_step(&lander);
        check_state();
    }
}

/* The eighth byte of a codeblock. */
static uint8_t parity(const uint8_t *info)
{
    unsigned remainder = 0;

    for (unsigned bit = 0; bit < 8u * CLTU_INFO_SIZE; bit++) {
        remainder = remainder << 1 ^ ((unsigned)info[bit / 8u] >> (7u - bit % 8u) & 1u) << 7;
        remainder = (remainder & 0x80u) != 0u ? (remainder ^ 0x45u) & 0x7Fu : remainder & 0x7Fu;
    }
    return (uint8_t)((remainder ^ 0x7Fu) << 1);
}

static void up_frame(uint8_t *frame, uint16_t length)
{
    uint8_t block[CLTU_BLOCK_SIZE] = {0xEB, 0x90};

    crc16_append(frame, length);
    length = (uint16_t)(length + 2u);
    up(block, CLTU_START_SIZE);
    for (uint16_t at = 0; at < length; at = (uint16_t)(at + CLTU_INFO_SIZE)) {
        const uint16_t left = (uint16_t)(length - at);
        memset(block, 0x55, sizeof block);
        memcpy(block, frame + at, left < CLTU_INFO_SIZE ? left : CLTU_INFO_SIZE);
        block[CLTU_INFO_SIZE] = parity(block);
        up(block, sizeof block);
    }
    memset(block, 0xC5, sizeof block);
    block[CLTU_INFO_SIZE] = 0x79;
    up(block, sizeof block);
}

static void up_packet(const uint8_t *packet, uint8_t length, bool sequenced)
{
    uint8_t frame[ORDERS_MAX + PACKET_OVERHEAD + FRAME_OVERHEAD];
    const uint16_t size = (uint16_t)(length + PACKET_OVERHEAD + FRAME_OVERHEAD);

    frame[0] = (uint8_t)((sequenced ? 0u : TYPE_BD) | MARS6_SCID >> 8);
    frame[1] = MARS6_SCID & 0xFFu;
    frame[2] = (uint8_t)((size - 1u) >> 8);
    frame[3] = (uint8_t)((size - 1u) & 0xFFu);
    frame[4] = sequenced ? lander.farm.vr : 0u;
    memcpy(frame + 5, packet, length);
    crc16_append(frame + 5, length);
    up_frame(frame, (uint16_t)(5u + length + PACKET_OVERHEAD));
}

/* A PING or RESET, numbered so that it is known again, and its answer. */
static void up_command(uint8_t service, uint8_t subtype, uint8_t function, uint8_t number)
{
    uint8_t packet[] = {0x19, 0x00, 0xFF, number, 0x00, 0x06, 0x29, service, subtype, 0x00, 0x00, function};
    const uint8_t length = (uint8_t)(sizeof packet - (service == 17u ? 1u : 0u));

    packet[5] = (uint8_t)(length + PACKET_OVERHEAD - 7u);
    memcpy(wanted, packet, sizeof wanted);
    heard = false;
    up_packet(packet, length, false);
}

static void obey(uint8_t what, const uint8_t *bytes, uint8_t length)
{
    uint8_t frame[ORDERS_MAX + 2u];

    switch (what % 4u) {
    case 0:
        up(bytes, length);
        break;
    case 1:
        memcpy(frame, bytes, length);
        up_frame(frame, length);
        break;
    case 2:
        up_packet(bytes, length, (what & 4u) != 0u);
        break;
    default:
        step(length);
        break;
    }
}

/* Whatever came before: a machine that is alive answers. */
static void expect_answers(void)
{
    static const uint8_t silence[CLTU_BLOCK_SIZE * (CLTU_BLOCKS + 2u)];

    up(silence, sizeof silence); /* half a CLTU would take the next for its own */
    steps = 0;
    step(1); /* what waits is carried out */
    up_command(8, 1, FUNCTION(RESET), 1);
    step(1);
    HOLDS(heard && lander.mode == LANDER_READY);
    up_command(17, 1, 0, 2);
    HOLDS(heard);
    memset(wanted, 0, sizeof wanted);
}

static void fly_to_places(void)
{
    for (unsigned at = 0; at < PLACES; at++) {
        lander_init(&lander, on_frame, &lander);
        lander_choose(&lander, places[at].profile, MARS6_SELECT_SPAN_SPAN_DESCENT);
        lander_start(&lander);
        for (steps = 0; lander.tick < places[at].tick; steps = 0)
            step(1);
        places_flown[at] = lander;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t place = size > 0u ? data[0] : 0u;

    if (places_flown[0].send == NULL)
        fly_to_places();
    if (place == 0u)
        lander_init(&lander, on_frame, &lander);
    else
        lander = places_flown[place % PLACES];
    steps = 0;
    for (size_t at = 1; at + 2u <= size;) {
        const uint8_t what = data[at];
        const size_t left = size - at - 2u;
        const uint8_t count = data[at + 1u];
        const uint8_t length = what % 4u == 3u ? 0u : (uint8_t)(count < left ? count : left);
        obey(what, data + at + 2u, what % 4u == 3u ? count : length);
        at += 2u + length;
    }
    expect_answers();
    return 0;
}

#ifdef REPLAY
int main(int argc, char **argv)
{
    static uint8_t data[65536];

    for (int at = 1; at < argc; at++) {
        FILE *file = fopen(argv[at], "rb");
        if (file == NULL) {
            perror(argv[at]);
            return EXIT_FAILURE;
        }
        const size_t size = fread(data, 1, sizeof data, file);
        (void)fclose(file);
        (void)LLVMFuzzerTestOneInput(data, size);
    }
    (void)printf("%d inputs\n", argc - 1);
    return EXIT_SUCCESS;
}
#endif
