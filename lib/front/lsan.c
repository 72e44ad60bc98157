/* SPDX-License-Identifier: MIT */
/*
 * LeakSanitizer's functions, so that programs annotated for it need no change.
 *
 * Source: sanitizer/lsan_interface.h of LLVM.
 */
#include "base/compiler.h"
#include "cgc.h"
#include "front/leaks.h"

CGC_EXPORT void __lsan_disable(void);
CGC_EXPORT void __lsan_enable(void);
CGC_EXPORT void __lsan_ignore_object(const void *block);
CGC_EXPORT void __lsan_register_root_region(const void *start, size_t bytes);
CGC_EXPORT void __lsan_unregister_root_region(const void *start, size_t bytes);
CGC_EXPORT void __lsan_do_leak_check(void);
CGC_EXPORT int  __lsan_do_recoverable_leak_check(void);

CGC_EXPORT void
__lsan_disable(void) {
  cgc_leak_disable();
}

CGC_EXPORT void
__lsan_enable(void) {
  cgc_leak_enable();
}

CGC_EXPORT void
__lsan_ignore_object(const void *block) {
  cgc_leak_ignore(block);
}

CGC_EXPORT void
__lsan_register_root_region(const void *start, size_t bytes) {
  cgc_add_roots(start, (const char *)start + bytes);
}

CGC_EXPORT void
__lsan_unregister_root_region(const void *start, size_t bytes) {
  cgc_remove_roots(start, (const char *)start + bytes);
}

CGC_EXPORT void
__lsan_do_leak_check(void) {
  leaks_check_for_good();
}

CGC_EXPORT int
__lsan_do_recoverable_leak_check(void) {
  return cgc_leak_check() > 0;
}
