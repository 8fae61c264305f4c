/* The three functions that a C compiler counts on even without a library; a port that has no libc brings them. */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);

#endif
