#include "commands.h"

#include "tc_check.h"
#include "lander.h"
#include "telemetry.h"

#define ACK_ACCEPTANCE 0x1u
#define ACK_COMPLETION 0x8u

static void report(struct lander *l, uint8_t word, uint32_t request)
{
    struct bus_report entry = {.argument = request, .tick = report_tick(l->tick), .word = word & 0xFu};

    transmitter_report_bus(&l->transmitter, &entry);
}

static void refuse(struct lander *l, uint32_t request, uint8_t failure)
{
    l->commands.rejected++;
    report(l, failure, request);
}

/* Whether the mode allows the command and it would have an effect. */
static bool allowed(const struct lander *l, uint8_t function)
{
    switch (function) {
    case FUNCTION(START):
    case FUNCTION(SELECT_PROFILE):
    case FUNCTION(SELECT_SPAN):
    case FUNCTION(SEED):
        return l->mode == LANDER_READY;
    case FUNCTION(HOLD):
        return l->mode == LANDER_RUNNING;
    case FUNCTION(RESUME):
    case FUNCTION(STEP):
        return l->mode == LANDER_HELD;
    case FUNCTION(REQUEST_HK):
        return l->mode != LANDER_READY;
    case FUNCTION(DEPLOY_PARACHUTE):
        return l->mode != LANDER_READY && sequencer_can_deploy(&l->sequence, l->tick);
    case FUNCTION(FIRE_RETROS):
        return l->mode != LANDER_READY && sequencer_can_fire(&l->sequence, l->tick);
    default:
        return true;
    }
}

static void set_mode(struct lander *l, enum lander_mode mode, uint16_t steps)
{
    l->mode = (uint8_t)mode;
    l->steps_left = steps;
}

static void step_on(struct lander *l, const uint8_t *arguments)
{
    struct mars6_step step;

    mars6_unpack_step(&step, arguments);
    set_mode(l, LANDER_HELD, step.ticks);
}

static void scale(struct lander *l, const uint8_t *arguments)
{
    struct mars6_scale order;

    mars6_unpack_scale(&order, arguments);
    l->scale = order.factor;
}

static void inject(struct lander *l, const uint8_t *arguments)
{
    struct mars6_inject_fault order;

    mars6_unpack_inject_fault(&order, arguments);
    chip_inject(&l->chip, order.fault, order.level, order.seed);
}

static void set_seed(struct lander *l, const uint8_t *arguments)
{
    struct mars6_seed order;

    mars6_unpack_seed(&order, arguments);
    l->seed = order.seed;
    bus_instruments_seed(&l->bus.instruments, order.seed);
}

/* The commands that set the mission clock. */
static void carry_out_clock(struct lander *l, const struct command *c)
{
    switch (c->function) {
    case FUNCTION(START):
        lander_start(l);
        break;
    case FUNCTION(HOLD):
        set_mode(l, LANDER_HELD, 0);
        break;
    case FUNCTION(RESUME):
        set_mode(l, LANDER_RUNNING, 0);
        break;
    case FUNCTION(STEP):
        step_on(l, c->arguments);
        break;
    case FUNCTION(RESET):
        lander_power_on(l);
        break;
    default:
        break;
    }
}

/* Execute an allowed command. */
static void carry_out(struct lander *l, const struct command *c)
{
    switch (c->function) {
    case PING_FUNCTION:
        report(l, BUS_ALIVE, 0);
        break;
    case FUNCTION(SCALE):
        scale(l, c->arguments);
        break;
    case FUNCTION(TRANSMITTER):
        l->transmitter_on = c->arguments[0] != 0u;
        break;
    case FUNCTION(FRAME_RATE):
        l->frame_period = c->arguments[0];
        break;
    case FUNCTION(REQUEST_HK):
        telemetry_housekeeping(l);
        break;
    case FUNCTION(DEPLOY_PARACHUTE):
        sequencer_deploy(&l->sequence, l->tick);
        break;
    case FUNCTION(FIRE_RETROS):
        sequencer_fire(&l->sequence, l->tick);
        break;
    case FUNCTION(SELECT_PROFILE):
        lander_choose(l, c->arguments[0], l->span);
        break;
#ifndef LANDER_DESCENT_ONLY
    case FUNCTION(SELECT_SPAN):
        lander_choose(l, l->profile, c->arguments[0]);
        break;
#endif
    case FUNCTION(SEED):
        set_seed(l, c->arguments);
        break;
    case FUNCTION(INJECT_FAULT):
        inject(l, c->arguments);
        break;
    case FUNCTION(CLEAR_FAULTS):
        chip_clear(&l->chip, c->arguments[0]);
        break;
    default:
        carry_out_clock(l, c);
        break;
    }
}

/* Report acceptance, and directly after it how the command ended. */
static void verify(struct lander *l, const struct command *c, bool possible)
{
    if ((c->acknowledge & ACK_ACCEPTANCE) != 0u)
        report(l, BUS_ACCEPTED, c->request);
    if (!possible)
        report(l, FAILURE(WRONG_STATE), c->request);
    else if ((c->acknowledge & ACK_COMPLETION) != 0u)
        report(l, BUS_COMPLETED, c->request);
}

/* Whether the command clears the queues, so that its reports have to be sent before. */
static bool resets_counters(uint8_t function)
{
    return function == FUNCTION(START) || function == FUNCTION(RESET);
}

static void apply(struct lander *l, const struct command *c)
{
    const bool was_stopped = lander_clock_stopped(l);
    const bool possible = allowed(l, c->function);

    if (possible)
        l->commands.accepted++;
    else
        l->commands.rejected++;
    verify(l, c, possible);
    if (possible) {
        if (resets_counters(c->function))
            bus_flush(l);
        carry_out(l, c);
    }
    if (was_stopped || lander_clock_stopped(l))
        bus_flush(l);
}

void commands_receive(struct lander *l, const uint8_t *packet, uint8_t length)
{
    const bool stopped = lander_clock_stopped(l);
    struct command found;
    uint8_t failure = check_packet(&found, packet, length);

    if (failure == NO_FAILURE && stopped) {
        apply(l, &found);
        return;
    }
    if (failure == NO_FAILURE && l->commands.count >= COMMANDS_LIMIT)
        failure = FAILURE(BUSY);
    if (failure != NO_FAILURE) {
        refuse(l, found.request, failure);
        if (stopped)
            bus_flush(l);
        return;
    }
    l->commands.waiting[l->commands.count++] = found;
}

void commands_apply(struct lander *l)
{
    for (uint8_t at = 0; at < l->commands.count; at++)
        apply(l, &l->commands.waiting[at]);
    l->commands.count = 0;
}
