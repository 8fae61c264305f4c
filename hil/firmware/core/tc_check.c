#include "tc_check.h"

#include "bytes.h"
#include "crc.h"
#include "flash.h"

#define PUS_C 2u
#define REQUEST_SIZE 4u

/* Bytes of application data, the function's number included; 0 for an unknown function. */
#define DATA_SIZE(name) [FUNCTION(name)] = MARS6_##name##_COMMAND_DATA_SIZE
static const uint8_t data_sizes[] FLASH = {
    DATA_SIZE(START),
    DATA_SIZE(HOLD),
    DATA_SIZE(RESUME),
    DATA_SIZE(STEP),
    DATA_SIZE(SCALE),
    DATA_SIZE(RESET),
    DATA_SIZE(TRANSMITTER),
    DATA_SIZE(FRAME_RATE),
    DATA_SIZE(REQUEST_HK),
    DATA_SIZE(DEPLOY_PARACHUTE),
    DATA_SIZE(FIRE_RETROS),
    DATA_SIZE(SELECT_PROFILE),
    DATA_SIZE(INJECT_FAULT),
    DATA_SIZE(CLEAR_FAULTS),
#ifndef LANDER_DESCENT_ONLY
    DATA_SIZE(SELECT_SPAN),
#endif
    DATA_SIZE(SEED),
};

static uint8_t data_size(uint8_t function)
{
    return function < sizeof data_sizes ? FLASH_U8(&data_sizes[function]) : 0u;
}

/* Whether the arguments are within the ranges that the dictionary gives them. */
static bool in_range(uint8_t function, const uint8_t *arguments)
{
    struct mars6_step step;
    struct mars6_scale scale;
    struct mars6_frame_rate rate;
    struct mars6_select_profile profile;
    struct mars6_inject_fault inject;
    struct mars6_clear_faults clear;
#ifndef LANDER_DESCENT_ONLY
    struct mars6_select_span span;
#endif

    switch (function) {
    case FUNCTION(STEP):
        mars6_unpack_step(&step, arguments);
        return mars6_valid_step(&step);
    case FUNCTION(SCALE):
        mars6_unpack_scale(&scale, arguments);
        return mars6_valid_scale(&scale);
    case FUNCTION(FRAME_RATE):
        mars6_unpack_frame_rate(&rate, arguments);
        return mars6_valid_frame_rate(&rate);
    case FUNCTION(SELECT_PROFILE):
        mars6_unpack_select_profile(&profile, arguments);
        return mars6_valid_select_profile(&profile);
    case FUNCTION(INJECT_FAULT):
        mars6_unpack_inject_fault(&inject, arguments);
        return mars6_valid_inject_fault(&inject);
    case FUNCTION(CLEAR_FAULTS):
        mars6_unpack_clear_faults(&clear, arguments);
        return mars6_valid_clear_faults(&clear);
#ifndef LANDER_DESCENT_ONLY
    case FUNCTION(SELECT_SPAN):
        mars6_unpack_select_span(&span, arguments);
        return mars6_valid_select_span(&span);
#endif
    default:
        return true;
    }
}

/* The first four bytes; zeros if there are fewer. */
static uint32_t request_of(const uint8_t *packet, uint8_t length)
{
    uint32_t request = 0;

    for (uint8_t at = 0; at < REQUEST_SIZE; at++)
        request = request << 8 | (at < length ? packet[at] : 0u);
    return request;
}

/* Take the function and arguments from the application data of a service. */
static uint8_t check_data(struct command *c, const struct mars6_tc_header *header, const uint8_t *data, uint8_t size)
{
    if (header->service == MARS6_PING_COMMAND_SERVICE && header->subtype == MARS6_PING_COMMAND_SUBTYPE) {
        c->function = PING_FUNCTION;
        return size == MARS6_PING_COMMAND_DATA_SIZE ? NO_FAILURE : FAILURE(BAD_LENGTH);
    }
    if (header->service != MARS6_START_COMMAND_SERVICE || header->subtype != MARS6_START_COMMAND_SUBTYPE || size == 0u
        || data_size(data[0]) == 0u)
        return FAILURE(UNKNOWN_COMMAND);
    c->function = data[0];
    if (size != data_size(c->function))
        return FAILURE(BAD_LENGTH);
    memcpy(c->arguments, data + 1, size - 1u);
    return in_range(c->function, c->arguments) ? NO_FAILURE : FAILURE(BAD_ARGUMENT);
}

uint8_t check_packet(struct command *c, const uint8_t *packet, uint8_t length)
{
    struct mars6_packet_header primary;
    struct mars6_tc_header header;

    c->request = request_of(packet, length);
    if (crc16(packet, length) != 0u)
        return FAILURE(BAD_CHECKSUM);
    if (length < MARS6_TC_DATA_OFFSET + MARS6_CRC_SIZE)
        return FAILURE(BAD_LENGTH);
    mars6_unpack_packet_header(&primary, packet);
    if ((uint32_t)primary.data_length + MARS6_PACKET_HEADER_SIZE + 1u != length)
        return FAILURE(BAD_LENGTH);
    if (primary.apid != MARS6_PING_COMMAND_APID)
        return FAILURE(UNKNOWN_APID);
    mars6_unpack_tc_header(&header, packet + MARS6_PACKET_HEADER_SIZE);
    if (primary.version != 0u || !primary.is_command || !primary.has_secondary_header || header.flags_pus != PUS_C)
        return FAILURE(UNKNOWN_COMMAND);
    c->acknowledge = header.flags_acknowledge;
    return check_data(c, &header, packet + MARS6_TC_DATA_OFFSET,
                      (uint8_t)(length - MARS6_TC_DATA_OFFSET - MARS6_CRC_SIZE));
}
