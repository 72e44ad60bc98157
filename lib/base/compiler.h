/* SPDX-License-Identifier: MIT */
/* Attributes and small helpers that every layer uses. */
#ifndef CGC_BASE_COMPILER_H
#define CGC_BASE_COMPILER_H

#include <stddef.h>
#include <stdint.h>

#define CGC_LIKELY(c)   __builtin_expect(!!(c), 1)
#define CGC_UNLIKELY(c) __builtin_expect(!!(c), 0)

#define CGC_EXPORT   __attribute__((visibility("default")))
#define CGC_NOINLINE __attribute__((noinline))
#define CGC_INLINE   static inline __attribute__((always_inline))
#define CGC_COLD     __attribute__((cold, noinline))
#define CGC_ALIGNED(n) __attribute__((aligned(n)))

/* gcc wants an alias to have the attributes of what it stands for; clang does not know how. */
#if defined(__has_attribute) && __has_attribute(copy)
#define CGC_COPY_ATTRIBUTES(of) __attribute__((copy(of)))
#else
#define CGC_COPY_ATTRIBUTES(of)
#endif

/* What a macro stands for, as a string. */
#define CGC_STRING_OF(x) #x
#define CGC_STRING(x) CGC_STRING_OF(x)

#define CGC_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Keeps a pointer in a register or on the stack up to this point, where a
 * conservative scan of a stopped thread finds it. */
#define CGC_KEEP_ALIVE(pointer) __asm__ volatile("" ::"r"(pointer) : "memory")

CGC_INLINE uintptr_t
round_up(uintptr_t value, uintptr_t power_of_two) {
  return (value + power_of_two - 1) & ~(power_of_two - 1);
}

CGC_INLINE uintptr_t
round_down(uintptr_t value, uintptr_t power_of_two) {
  return value & ~(power_of_two - 1);
}

/* Set bits.  Without the instruction, which not every x86-64 has, the compiler would call a function. */
CGC_INLINE unsigned
count_bits(uint64_t bits) {
  bits -= bits >> 1 & 0x5555555555555555;
  bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
  bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return (unsigned)(bits * 0x0101010101010101 >> 56);
}

/* 1 <= result for an odd number. */
CGC_INLINE unsigned
count_trailing_ones(uint64_t bits) {
  return ~bits ? (unsigned)__builtin_ctzll(~bits) : 64;
}

CGC_INLINE uint64_t
min_u64(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

CGC_INLINE uint64_t
max_u64(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

#endif
