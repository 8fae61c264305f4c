# Arduino Uno: ATmega328P at 16 MHz, its USB chip on USART0. Also run in simavr. It flies the descent alone: the tables of
# the encounter and its ticks do not fit.
#
#   make BOARD=uno BAUD=250000      exact, as 500000 is; at 115200 a Uno is 2.1 % fast, which most receivers take
PORT := avr328p
BAUD ?= 115200
RX_RING ?= 64
CC := avr-gcc
PREFIX_MAP = -fdebug-prefix-map=$(CURDIR)=.
BOARD_CFLAGS := -Os -mmcu=atmega328p -mcall-prologues -DF_CPU=16000000UL -DBAUD=$(BAUD)UL -DRX_RING=$(RX_RING)u \
	-DLANDER_DESCENT_ONLY \
	-fstack-usage -Wstack-usage=128
BOARD_LDFLAGS := -Wl,--relax
OUTPUT := lander.elf
IMAGE := lander.hex
# Start and size: the last 512 bytes are the boot loader's.
FLASH_RANGE := 0x0 0x7E00
FLASH := avrdude
EXTRA = $(BUILD)/lander.hex

$(BUILD)/lander.hex: $(BUILD)/$(OUTPUT)
	@avr-objcopy -O ihex -R .eeprom -R .fuse -R .lock $< $@
	@avr-size $<
