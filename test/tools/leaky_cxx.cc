// SPDX-License-Identifier: MIT
#include "leaky.h"
#include "recorder.h"

namespace shop {
template <typename T> struct basket {
  __attribute__((noinline)) void
  fill(T many) {
    recorder_leak("direct", static_cast<size_t>(many));
    __asm__ volatile("");
  }
};
}

void
leaky_cxx() {
  shop::basket<int>().fill(40);
  __asm__ volatile("");
}
