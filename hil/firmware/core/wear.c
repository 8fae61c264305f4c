#include "wear.h"

#include "bytes.h"
#include "flash.h"
#include "random.h"

/* Tables are of ticks: the first entry, and from one to the next. Straight lines between. */
#define BEGIN_TICK 880
#define STEP_TICKS 140
#define ENTRIES 17u
#define GOOD_TICKS 150 /* mean of a good bond at first; it falls by one tick in: */
#define GOOD_LESS_TICKS 18

/* Chances of a bit to flip before the CRC: 1e-3 · exp((t - 88 s) / 75 s); after it: 2e-5 → 7e-4, log-interpolated. */
static const uint32_t bits_before[ENTRIES] FLASH = {
    4294967, 5176404, 6238733, 7519081, 9062188, 10921980, 13163448, 15864923, 19120810,
    23044887, 27774285, 33474276, 40344050, 48623677, 58602495, 70629220, 85124135,
};
static const uint32_t bits_after[ENTRIES] FLASH = {
    85899, 107273, 133967, 167302, 208932, 260922, 325848, 406929, 508187,
    634641, 792560, 989775, 1236063, 1543636, 1927744, 2407429, 3006477,
};
/* One more word is stuck from these ticks on. */
static const uint16_t stuck_since[CHIP_STUCK_MAX] FLASH = {880, 1590, 1860, 2130, 2460, 2790, 3110};

void wear_start(struct wear *w, uint32_t seed)
{
    memset(w, 0, sizeof *w);
    w->draws = random_start(seed, RANDOM_CHIP);
}

static uint32_t draw(struct wear *w)
{
    w->draws = random_next(w->draws);
    return w->draws;
}

static bool is_stuck(const struct wear *w, uint8_t word)
{
    for (uint8_t at = 0; at < w->stuck; at++) {
        if (w->stuck_words[at] == word)
            return true;
    }
    return false;
}

/* One of the words that are not stuck yet, at a value of its own. */
static void stick_another(struct wear *w)
{
    uint8_t word = (uint8_t)(draw(w) % CHIP_WORDS);

    while (is_stuck(w, word))
        word = (uint8_t)((word + 1u) % CHIP_WORDS);
    w->stuck_words[w->stuck] = word;
    w->stuck_values[w->stuck] = (uint16_t)(draw(w) & UINT32_C(0xFFF));
    w->stuck++;
}

void wear_age(struct wear *w, mission_tick tick)
{
    while (w->stuck < CHIP_STUCK_MAX && tick >= (mission_tick)FLASH_U16(&stuck_since[w->stuck]))
        stick_another(w);

    const int32_t good = GOOD_TICKS - (tick - BEGIN_TICK) / GOOD_LESS_TICKS;
    const uint32_t break_chance = UINT32_MAX / (uint32_t)(good > 1 ? good : 1);

    if (draw(w) < (w->broken ? CHIP_HEAL_CHANCE : break_chance))
        w->broken = !w->broken;
}

static uint32_t between(const uint32_t *table, mission_tick tick)
{
    const uint16_t past = (uint16_t)(tick - BEGIN_TICK);
    const uint16_t index = past / STEP_TICKS;

    if (index >= ENTRIES - 1u)
        return FLASH_U32(&table[ENTRIES - 1u]);
    const uint32_t low = FLASH_U32(&table[index]);
    return low + (FLASH_U32(&table[index + 1u]) - low) * (past % STEP_TICKS) / STEP_TICKS;
}

void wear_corrupt_body(struct wear *w, mission_tick tick, uint8_t *body, uint8_t length)
{
    for (uint8_t at = 0; at < w->stuck; at++)
        chip_stick(body, w->stuck_words[at], w->stuck_values[at]);
    w->draws = chip_flip(w->draws, between(bits_before, tick), body, length);
}

void wear_corrupt_frame(struct wear *w, mission_tick tick, uint8_t *wire, uint8_t length)
{
    w->draws = chip_flip(w->draws, between(bits_after, tick), wire, length);
    if (w->broken)
        w->draws = chip_flip(w->draws, CHIP_BROKEN_CHANCE, wire, length);
}
