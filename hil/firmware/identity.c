/* Which image this is. stamp.py finds the stamp by its magic after linking, and writes the image's id into it. */
#include "port.h"

#include "core/flash.h"

/* Little-endian, as every machine here is. The board's name has at most eleven characters. */
struct stamp {
    char magic[8];
    char board[12];
    uint32_t source;
    uint32_t image;
};

__attribute__((used)) static const struct stamp stamp FLASH = {
    .magic = {'M', '6', '-', 'I', 'M', 'A', 'G', 'E'},
    .board = FIRMWARE_BOARD,
    .source = FIRMWARE_SOURCE_ID,
};

uint32_t firmware_image_id(void)
{
    /* Volatile: the zero that the compiler sees here is not what will stand there. */
    const volatile uint32_t *const image = &stamp.image;

    return FLASH_U32(image);
}
