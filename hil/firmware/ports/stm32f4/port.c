/* STM32F4, on its internal oscillator (HSI, 16 MHz), or in QEMU as `-M netduinoplus2`: the same binary.
 *
 * - USART2 on PA2 (TX) and PA3 (RX), 115200 8N1; on a Nucleo-64 that is the virtual COM port of its ST-Link.
 * - TIM2 counts microseconds; SysTick only ends sleep, and is set again for each.
 * - The watchdog runs on silicon alone: QEMU has none.
 * - The clock tree is set, not assumed to be that of a reset: a debugger's script may have switched to the PLL. */
#include "port.h"

#include <stdbool.h>

#include "port_fault.h"
#include "registers.h"

#define HSI_HZ UINT32_C(16000000)
#define BAUD UINT32_C(115200)
/* In QEMU, TIM2 counts at 1 GHz whatever the core's clock is. */
#define SILICON_US_PRESCALER (HSI_HZ / UINT32_C(1000000) - 1u)
#define QEMU_US_PRESCALER 999u
#define SLEEP_MAX_US UINT32_C(50000)
#define SLEEP_MIN_US UINT32_C(2)
/* What silicon does in microseconds; a bit that never comes is not waited for. */
#define POLLS_MAX 100000u
/* LSI runs at 17 … 47 kHz: with a divider of 64 this is 1.4 … 3.8 s. */
#define WATCHDOG_DIVIDE_64 4u
#define WATCHDOG_COUNT 1000u
#define RX_SIZE 256u /* powers of two */
#define TX_SIZE 512u
#define SURVIVED UINT32_C(0x4D363734)

void usart2_interrupt(void);
void systick_interrupt(void);
_Noreturn void port_main(void);

/* Single producer, single consumer; each index is written by one side alone. The bytes are volatile too: they have to be
 * written before the index, and the compiler keeps only the order of volatile accesses. */
static volatile uint8_t rx[RX_SIZE];
static volatile uint32_t rx_in, rx_out;
static volatile uint8_t tx[TX_SIZE];
static volatile uint32_t tx_in, tx_out;

static bool silicon;
static uint32_t core_ticks_per_us;
static enum port_reset reset_reason;
/* In QEMU the RAM outlives a reset, and only this distinguishes it from power on. */
static uint32_t mark __attribute__((section(".noinit")));

static void receive_one(uint8_t byte)
{
    const uint32_t in = rx_in;

    if (in - rx_out < RX_SIZE) { /* else it is lost, as in a UART without a ring: FARM-1 and the CLTU see it */
        rx[in % RX_SIZE] = byte;
        rx_in = in + 1u;
    }
}

void usart2_interrupt(void)
{
    const uint32_t status = USART2_SR;

    if ((status & USART_SR_RXNE) != 0u)
        receive_one((uint8_t)(USART2_DR & 0xFFu));
    else if ((status & USART_SR_ORE) != 0u)
        (void)USART2_DR; /* reading SR and then DR ends an overrun */
    /* A loop, since QEMU raises no interrupt for an empty transmitter: it never stops being empty there. */
    while (tx_out != tx_in && (USART2_SR & USART_SR_TXE) != 0u) {
        USART2_DR = tx[tx_out % TX_SIZE];
        tx_out = tx_out + 1u;
    }
    if (tx_out == tx_in)
        USART2_CR1 &= ~USART_CR1_TXEIE;
}

void systick_interrupt(void)
{
    SYST_CSR = 0; /* it has done its work: to end a sleep */
}

size_t port_read(uint8_t *bytes, size_t room)
{
    size_t count = 0;

    while (count < room && rx_out != rx_in) {
        bytes[count++] = rx[rx_out % RX_SIZE];
        rx_out = rx_out + 1u;
    }
    return count;
}

/* Let the interrupt send what is in the ring. CR1 is shared with it. */
static void kick(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
    USART2_CR1 |= USART_CR1_TXEIE;
    __asm__ volatile("cpsie i" ::: "memory");
    NVIC_ISPR1 = 1u << (USART2_IRQ - 32u); /* for QEMU; on silicon it comes by itself, and once more does no harm */
}

void port_write(const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length; at++) {
        while (tx_in - tx_out == TX_SIZE)
            kick();
        tx[tx_in % TX_SIZE] = bytes[at];
        tx_in = tx_in + 1u;
    }
    kick();
}

uint32_t port_microseconds(void)
{
    return TIM2_CNT;
}

/* With interrupts masked a pending one still ends WFI: none can slip in between the look and the sleep. */
void port_idle(uint32_t microseconds)
{
    const uint32_t nap = microseconds < SLEEP_MAX_US ? microseconds : SLEEP_MAX_US;

    if (nap < SLEEP_MIN_US)
        return;
    __asm__ volatile("cpsid i" ::: "memory");
    if (rx_out == rx_in) {
        SYST_RVR = nap * core_ticks_per_us - 1u;
        SYST_CVR = 0;
        SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_TICKINT | SYST_CSR_CLKSOURCE;
        __asm__ volatile("dsb\n\twfi" ::: "memory");
    }
    __asm__ volatile("cpsie i\n\tisb" ::: "memory");
}

void port_alive(void)
{
    if (silicon)
        IWDG_KR = IWDG_KR_FEED;
}

enum port_reset port_reset_reason(void)
{
    return reset_reason;
}

/* Several flags are set at once: power on sets those of brown-out and pin too, and every reset that of the pin. */
static enum port_reset why(uint32_t flags)
{
    if ((flags & RCC_CSR_PORRSTF) != 0u)
        return PORT_RESET_POWER_ON;
    if ((flags & (RCC_CSR_IWDGRSTF | RCC_CSR_WWDGRSTF)) != 0u)
        return PORT_RESET_WATCHDOG;
    if ((flags & RCC_CSR_SFTRSTF) != 0u)
        return PORT_RESET_SOFTWARE;
    if ((flags & RCC_CSR_BORRSTF) != 0u)
        return PORT_RESET_BROWN_OUT;
    return (flags & RCC_CSR_PINRSTF) != 0u ? PORT_RESET_PIN : PORT_RESET_UNKNOWN;
}

static void find_reset_reason(void)
{
    const bool faulted = fault_happened();

    if (silicon) {
        reset_reason = why(RCC_CSR);
        RCC_CSR |= RCC_CSR_RMVF;
    } else if (faulted) {
        reset_reason = PORT_RESET_SOFTWARE;
    } else {
        reset_reason = mark == SURVIVED ? PORT_RESET_PIN : PORT_RESET_POWER_ON;
    }
    mark = SURVIVED;
}

/* 16 MHz from HSI for core and peripherals, as after a reset. Flash wait states stay: more than are needed are right too. */
static void start_clock_tree(void)
{
    RCC_CR |= RCC_CR_HSION;
    for (uint32_t n = 0; (RCC_CR & RCC_CR_HSIRDY) == 0u && n < POLLS_MAX; n++) {
    }
    RCC_CFGR = 0;
    for (uint32_t n = 0; (RCC_CFGR & RCC_CFGR_SWS) != 0u && n < POLLS_MAX; n++) {
    }
    RCC_CR &= ~(RCC_CR_PLLON | RCC_CR_PLLI2SON | RCC_CR_CSSON | RCC_CR_HSEON);
    RCC_CIR = 0;
}

/* The peripherals as after a reset, too. */
static void start_peripherals(void)
{
    RCC_AHB1ENR |= RCC_AHB1ENR_GPIOA;
    RCC_APB1ENR |= RCC_APB1ENR_TIM2 | RCC_APB1ENR_USART2;
    RCC_APB1RSTR |= RCC_APB1ENR_TIM2 | RCC_APB1ENR_USART2;
    RCC_APB1RSTR &= ~(RCC_APB1ENR_TIM2 | RCC_APB1ENR_USART2);
    (void)RCC_APB1ENR; /* a peripheral's clock needs two cycles */
}

static void start_uart(void)
{
    GPIOA_AFRL = (GPIOA_AFRL & ~0xFF00u) | 0x7700u;   /* PA2 and PA3: USART2 */
    GPIOA_PUPDR = (GPIOA_PUPDR & ~0xF0u) | 0x40u;     /* an open RX is quiet */
    GPIOA_OTYPER &= ~0xCu;
    GPIOA_MODER = (GPIOA_MODER & ~0xF0u) | 0xA0u;
    USART2_BRR = (HSI_HZ + BAUD / 2u) / BAUD;
    USART2_CR1 = USART_CR1_UE | USART_CR1_RE | USART_CR1_TE | USART_CR1_RXNEIE;
    NVIC_ISER1 = 1u << (USART2_IRQ - 32u);
}

static void start_clock(void)
{
    TIM2_PSC = silicon ? SILICON_US_PRESCALER : QEMU_US_PRESCALER;
    TIM2_ARR = UINT32_MAX;
    TIM2_EGR = TIM_EGR_UG; /* the prescaler counts from now on */
    TIM2_CR1 = TIM_CR1_CEN;
    core_ticks_per_us = HSI_HZ / UINT32_C(1000000);
    if (!silicon) /* TENMS is of a reference clock, an eighth of the core's */
        core_ticks_per_us = ((SYST_CALIB & SYST_CALIB_TENMS) + 1u) / 1250u;
}

static void start_watchdog(void)
{
    IWDG_KR = IWDG_KR_START;
    IWDG_KR = IWDG_KR_UNLOCK;
    IWDG_PR = WATCHDOG_DIVIDE_64;
    IWDG_RLR = WATCHDOG_COUNT;
    IWDG_KR = IWDG_KR_FEED;
}

_Noreturn void port_main(void)
{
    silicon = (DBGMCU_IDCODE & DBGMCU_IDCODE_DEV_ID) != 0u; /* QEMU has no such chip */
    find_reset_reason();
    if (silicon)
        start_clock_tree();
    start_peripherals();
    start_clock();
    start_uart();
    if (silicon)
        start_watchdog();
    __asm__ volatile("cpsie i" ::: "memory");
    firmware_run();
}
