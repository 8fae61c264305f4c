/* From PUS packets to commands: what is wrong with a packet, as far as the packet alone shows it. */
#ifndef CORE_TC_CHECK_H
#define CORE_TC_CHECK_H

#include <stdint.h>

#include "../generated/lander_packets.h"
#include "commands.h"

#define PING_FUNCTION 0u
#define NO_FAILURE 0u
#define FAILURE(name) MARS6_COMMAND_REFUSED_FAILURE_##name
#define FUNCTION(name) MARS6_##name##_COMMAND_FUNCTION

/* The command in a packet of any length, or the first failure that was found; its request is set in any case. */
uint8_t check_packet(struct command *c, const uint8_t *packet, uint8_t length);

#endif
