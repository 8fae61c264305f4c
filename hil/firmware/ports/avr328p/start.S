; Before RAM is set up: why the machine started, and the watchdog off, which after its own reset still runs, and fast.
#include <avr/io.h>

.section .noinit, "aw", @nobits
.global reset_flags
reset_flags:
    .space 1

.section .init3, "ax", @progbits
    in r24, _SFR_IO_ADDR(MCUSR)
    sts reset_flags, r24
    out _SFR_IO_ADDR(MCUSR), r1
    wdr
    ldi r24, _BV(WDCE) | _BV(WDE)
    sts _SFR_MEM_ADDR(WDTCSR), r24
    sts _SFR_MEM_ADDR(WDTCSR), r1

; Does nothing but end a sleep.
.section .text.TIMER1_COMPA_vect, "ax", @progbits
.global TIMER1_COMPA_vect
TIMER1_COMPA_vect:
    reti
