#!/bin/sh
# SPDX-License-Identifier: MIT
# The shared library exports exactly these names, and the static one defines no other global ones.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

tr ' ' '\n' <<END | sort >"$dir/expected"
cgc_add_roots cgc_calloc cgc_collect cgc_free cgc_malloc cgc_malloc_noscan cgc_realloc cgc_remove_roots
cgc_leak_check cgc_leak_ignore cgc_leak_disable cgc_leak_enable
__lsan_disable __lsan_enable __lsan_ignore_object __lsan_register_root_region __lsan_unregister_root_region
__lsan_do_leak_check __lsan_do_recoverable_leak_check
cgc_set_percent cgc_set_memory_limit cgc_release_memory cgc_stats_read cgc_version
malloc calloc realloc free reallocarray memalign aligned_alloc posix_memalign valloc pvalloc cfree
free_sized free_aligned_sized
malloc_usable_size malloc_trim malloc_stats malloc_info mallinfo mallinfo2 mallopt
__libc_malloc __libc_calloc __libc_realloc __libc_free __libc_memalign __libc_valloc __libc_pvalloc
__libc_mallinfo __libc_mallopt __posix_memalign
pthread_create pthread_exit pthread_tryjoin_np dlopen dlclose sigaltstack sigqueue pthread_sigqueue mq_notify mq_close
io_submit io_getevents io_pgetevents io_cancel io_destroy
poll __poll_chk ppoll __ppoll_chk select pselect epoll_wait epoll_pwait epoll_pwait2 nanosleep
clock_nanosleep usleep sleep thrd_sleep sem_wait sem_timedwait sem_clockwait pthread_cond_wait
pthread_cond_timedwait pthread_cond_clockwait cnd_wait cnd_timedwait pthread_join pthread_timedjoin_np
pthread_clockjoin_np thrd_join pthread_barrier_wait pause sigsuspend msgsnd
msgrcv semop semtimedop mq_send mq_timedsend mq_receive mq_timedreceive aio_suspend aio_suspend64 accept
accept4 connect recv __recv_chk recvfrom __recvfrom_chk recvmsg recvmmsg send sendto sendmsg sendmmsg read
__read_chk write readv writev sendfile sendfile64 splice tee vmsplice getrandom flock lockf lockf64 fcntl
fcntl64 tcdrain wait waitpid waitid wait3 wait4 pclose popen system posix_spawn posix_spawnp syscall vfork __vfork prctl
sigprocmask pthread_sigmask sighold sigrelse signalfd sigwait sigwaitinfo sigtimedwait
sigaction __sigaction signal ssignal bsd_signal sysv_signal __sysv_signal siginterrupt sigignore sigset
setuid setgid seteuid setegid setreuid setregid setresuid setresgid setgroups initgroups unshare setns
execve execv execvp execvpe execl execlp execle execveat fexecve _exit _Exit
END

names() { # of defined symbols, without version; the version's own name left out
  sed -n 's/^[0-9a-f]* [A-Z] //p' | sed 's/@.*//' | grep -v '^CGC_[0-9.]*$' | sort
}

"${NM:-nm}" -D --defined-only "$CGC_LIB" | names >"$dir/shared"
"${NM:-nm}" -g --defined-only "$top_builddir/libcgc.a" | names >"$dir/static"
diff -u "$dir/expected" "$dir/shared"
diff -u "$dir/expected" "$dir/static"

# cgc.h's functions have a version; the others must have none, to be found by every reference.
"${NM:-nm}" -D --with-symbol-versions --defined-only "$CGC_LIB" | sed 's/^[0-9a-f]* [A-Z] //' | grep -v '^CGC_' |
  while read -r name; do
    case $name in
      cgc_*@@CGC_0.1) ;;
      cgc_* | *@*) echo "$name: wrong version"; exit 1 ;;
    esac
  done
