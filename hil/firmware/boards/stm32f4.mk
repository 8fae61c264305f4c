# One ELF for QEMU's netduinoplus2, the Nucleo-64 boards F401RE, F411RE and F446RE, and the F4 Discovery.
PORT := stm32f4
CC := arm-none-eabi-gcc
OBJCOPY := arm-none-eabi-objcopy
STM32_SCRIPT := ports/stm32f4/memory.ld
# No library but libgcc; of headers only the compiler's own.
BOARD_CFLAGS := -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -Os -ffreestanding -nostdinc \
	-isystem $(shell $(CC) -print-file-name=include 2>/dev/null) -fno-common -fno-tree-loop-distribute-patterns \
	-fstack-usage -Wstack-usage=128
BOARD_LDFLAGS := -nostdlib -static -Wl,--build-id=none -Wl,--strip-debug -Wl,-T,$(STM32_SCRIPT) -Wl,--fatal-warnings -lgcc
OUTPUT := lander.elf
IMAGE := lander.elf
# Start and size, of the smallest of these chips, the F401RE.
FLASH_RANGE := 0x08000000 0x80000
RAM_RANGE := 0x20000000 0x18000
FLASH := openocd st-flash
OPENOCD_BOARD := board/st_nucleo_f4.cfg
EXTRA = $(BUILD)/lander.bin

$(BUILD)/$(OUTPUT): $(STM32_SCRIPT)

$(BUILD)/lander.bin: $(BUILD)/$(OUTPUT)
	@$(OBJCOPY) -O binary $< $@
