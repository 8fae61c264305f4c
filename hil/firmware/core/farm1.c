#include "farm1.h"

#include "bytes.h"

#define HALF_WINDOW (FARM1_WINDOW / 2u)
#define UNLOCK 0x00u
#define SET_VR 0x82u
#define COP_1 (UINT32_C(1) << 24)

void farm1_init(struct farm1 *f)
{
    memset(f, 0, sizeof *f);
    f->state = FARM1_OPEN;
}

/* E1 and E2: the frame that was waited for. */
static bool expected(struct farm1 *f, bool room)
{
    if (f->state != FARM1_OPEN)
        return false;
    if (room) {
        f->vr++;
        f->retransmit = false;
        return true;
    }
    f->retransmit = true;
    f->wait = true;
    f->state = FARM1_WAIT;
    return false;
}

bool farm1_sequenced(struct farm1 *f, uint8_t ns, bool room)
{
    const uint8_t ahead = (uint8_t)(ns - f->vr);

    if (ahead == 0u)
        return expected(f, room);
    if (ahead < HALF_WINDOW) {
        /* E3: one before it was lost. */
        if (f->state == FARM1_OPEN)
            f->retransmit = true;
    } else if (256u - ahead > HALF_WINDOW) {
        /* E5: outside both windows; E4, a frame received before, needs no action. */
        f->lockout = true;
        f->state = FARM1_LOCKOUT;
    }
    return false;
}

void farm1_bypass(struct farm1 *f)
{
    f->farm_b++;
}

void farm1_control(struct farm1 *f, const uint8_t *data, uint8_t length)
{
    const bool unlock = length == 1u && data[0] == UNLOCK;
    const bool set_vr = length == 3u && data[0] == SET_VR && data[1] == 0u;

    if (!unlock && !set_vr)
        return;
    f->farm_b++;
    /* SET V(R) is counted in Lockout, but not carried out. */
    if (set_vr && f->state == FARM1_LOCKOUT)
        return;
    if (set_vr)
        f->vr = data[2];
    f->retransmit = false;
    f->wait = false;
    f->lockout = false;
    f->state = FARM1_OPEN;
}

void farm1_release(struct farm1 *f)
{
    f->wait = false;
    if (f->state == FARM1_WAIT)
        f->state = FARM1_OPEN;
}

uint32_t farm1_clcw(const struct farm1 *f)
{
    const uint32_t flags = (f->lockout ? UINT32_C(0x20) : 0u) | (f->wait ? UINT32_C(0x10) : 0u)
        | (f->retransmit ? UINT32_C(0x08) : 0u);

    return COP_1 | (flags | (f->farm_b & 3u) << 1) << 8 | f->vr;
}
