/* ATmega328P at 16 MHz: USART0, Timer1 as the clock, the watchdog. Written for the Arduino Uno; run in simavr too.
 *
 * - USART0, 8N1. Reception fills a ring by interrupt, also while the lander computes or sends. What comes when the
 *   ring is full is lost, so the ground has one command outstanding at a time. Frames are sent by interrupt, from the
 *   caller's own buffer.
 * - Timer1 runs freely at 250 kHz; its overflows, every 262 ms, are only the upper digits of the same count.
 * - Waiting is sleep (idle mode): any interrupt ends it.
 * - The watchdog runs with 2 s; a tick of SCALE 0.1 takes 1 s. */
#include "port.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <util/atomic.h>

#define US_PER_COUNT 4u /* prescaler 64 */
#define COUNT_BITS 16
#define IDLE_MAX_US UINT32_C(200000)
#define IDLE_MIN_COUNTS 4u /* less would be over before the sleep begins */
#define DIVISOR(baud) ((F_CPU + 4u * (baud)) / (8u * (baud)) - 1u) /* double speed, U2X0 */

_Static_assert(F_CPU == 16000000UL, "US_PER_COUNT is that of 16 MHz");
_Static_assert(RX_RING >= 64u && RX_RING <= 128u && (RX_RING & (RX_RING - 1u)) == 0u, "RX_RING: 64 or 128");

static volatile uint8_t ring[RX_RING];
static volatile uint8_t ring_in; /* both count on and wrap at 256 */
static volatile uint8_t ring_out;
static const uint8_t *volatile sending;
static volatile uint8_t sending_left;
static volatile uint16_t overflows;
extern uint8_t reset_flags; /* start.S */

ISR(USART_RX_vect)
{
    const uint8_t byte = UDR0;

    if ((uint8_t)(ring_in - ring_out) < RX_RING) {
        ring[ring_in % RX_RING] = byte;
        ring_in++;
    }
}

ISR(USART_UDRE_vect)
{
    UDR0 = *sending;
    sending++;
    if (--sending_left == 0u)
        UCSR0B &= (uint8_t)~_BV(UDRIE0);
}

ISR(TIMER1_OVF_vect)
{
    overflows++;
}

size_t port_read(uint8_t *bytes, size_t room)
{
    size_t length = 0;

    while (length < room && ring_out != ring_in) {
        bytes[length++] = ring[ring_out % RX_RING];
        ring_out++;
    }
    return length;
}

/* Idle mode. To be called with interrupts off: the instruction after sei still runs before any of them. */
static void sleep_once(void)
{
    SMCR = _BV(SE);
    sei();
    sleep_cpu();
    SMCR = 0;
}

void port_write(const uint8_t *bytes, size_t length)
{
    while (length > 0u) {
        const uint8_t part = length > 0xFFu ? 0xFFu : (uint8_t)length;

        __asm__ volatile("" ::: "memory"); /* the bytes are written before the interrupt sees the index */
        sending = bytes;
        sending_left = part;
        UCSR0B |= _BV(UDRIE0);
        for (;;) {
            cli();
            if (sending_left == 0u)
                break;
            sleep_once();
        }
        sei();
        bytes += part;
        length -= part;
    }
}

uint32_t port_microseconds(void)
{
    uint16_t low;
    uint16_t high;

    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        low = TCNT1;
        high = overflows;
        if ((TIFR1 & _BV(TOV1)) != 0u) { /* one that is not counted yet; was it before or after `low` was read? */
            low = TCNT1;
            high++;
        }
    }
    return ((uint32_t)high << COUNT_BITS | low) * US_PER_COUNT;
}

void port_idle(uint32_t microseconds)
{
    const uint32_t most = microseconds < IDLE_MAX_US ? microseconds : IDLE_MAX_US;
    const uint16_t counts = (uint16_t)(most / US_PER_COUNT);

    if (counts < IDLE_MIN_COUNTS)
        return;
    cli();
    OCR1A = (uint16_t)(TCNT1 + counts);
    TIFR1 = _BV(OCF1A);
    TIMSK1 |= _BV(OCIE1A);
    if (ring_out == ring_in)
        sleep_once();
    sei();
    TIMSK1 &= (uint8_t)~_BV(OCIE1A);
}

void port_alive(void)
{
    wdt_reset();
}

enum port_reset port_reset_reason(void)
{
    /* A boot loader may have cleared the flags: then the reason is unknown. Power on sets that of brown-out as well. */
    if ((reset_flags & _BV(PORF)) != 0u)
        return PORT_RESET_POWER_ON;
    if ((reset_flags & _BV(BORF)) != 0u)
        return PORT_RESET_BROWN_OUT;
    if ((reset_flags & _BV(WDRF)) != 0u)
        return PORT_RESET_WATCHDOG;
    return (reset_flags & _BV(EXTRF)) != 0u ? PORT_RESET_PIN : PORT_RESET_UNKNOWN;
}

const struct fault *port_fault(void)
{
    return NULL; /* the chip has no faults: it runs on, until the watchdog bites */
}

int main(void)
{
    UBRR0 = DIVISOR(BAUD);
    UCSR0A = _BV(U2X0);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXCIE0) | _BV(RXEN0) | _BV(TXEN0);
    TCCR1B = _BV(CS11) | _BV(CS10);
    TIMSK1 = _BV(TOIE1);
    wdt_enable(WDTO_2S);
    sei();
    firmware_run();
}
