/* Telecommands: from PUS packets to what the lander does, with the reports that verify them. */
#ifndef CORE_COMMANDS_H
#define CORE_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#define COMMANDS_LIMIT 8u
#define COMMAND_ARGUMENTS_MAX 6u

struct lander;

/* A command that passed all checks. */
struct command {
    uint32_t request;    /* the first four bytes of its packet */
    uint8_t acknowledge; /* which reports it asks for */
    uint8_t function;    /* of PUS service 8; 0 is PING */
    uint8_t arguments[COMMAND_ARGUMENTS_MAX];
};

/* Those that wait for the next flown tick, in the order of their reception. */
struct commands {
    struct command waiting[COMMANDS_LIMIT];
    uint8_t count;
    uint16_t accepted; /* carried out */
    uint16_t rejected; /* refused or failed */
};

/* A packet came: execute it, queue it for its tick, or report what is wrong with it. */
void commands_receive(struct lander *l, const uint8_t *packet, uint8_t length);

/* Carry out all that wait. */
void commands_apply(struct lander *l);

#endif
