#include "queue.h"

bool queue_put(struct queue *q, uint8_t *slot)
{
    if (q->waiting >= QUEUE_LIMIT)
        return false;
    *slot = (uint8_t)(((unsigned)q->first + q->waiting) % QUEUE_LIMIT);
    q->waiting++;
    return true;
}

uint8_t queue_take(struct queue *q)
{
    const uint8_t slot = q->first;

    q->first = (uint8_t)((slot + 1u) % QUEUE_LIMIT);
    q->waiting--;
    return slot;
}
