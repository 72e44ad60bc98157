/* SPDX-License-Identifier: MIT */
#include "launch.h"

#include "message.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void
launch_exec(char **command) {
  execvp(command[0], command);
  int error = errno;
  message("%s: %s", command[0], strerror(error));
  _exit(error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

static sigset_t
signals_to_wait_for(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGQUIT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

/* What the kernel sends for a key, it sends to all in the terminal's foreground group. */
static void
pass_on(const siginfo_t *signal, pid_t child) {
  if (signal->si_signo != SIGCHLD && signal->si_code != SI_KERNEL)
    kill(child, signal->si_signo);
}

static int
wait_for(pid_t child, const sigset_t *signals) {
  int status;
  for (;;) {
    siginfo_t signal;
    if (waitpid(child, &status, WNOHANG) == child)
      return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
    if (sigwaitinfo(signals, &signal) > 0)
      pass_on(&signal, child);
  }
}

/* A key's signal may have come together with the command's end that it caused. */
static void
forget_signals(const sigset_t *signals) {
  const struct timespec no_time = {0, 0};
  while (sigtimedwait(signals, NULL, &no_time) > 0)
    continue;
}

int
launch_run(char **command) {
  struct sigaction old_child_action, default_action = {.sa_handler = SIG_DFL};
  sigset_t signals = signals_to_wait_for(), old_mask;
  sigaction(SIGCHLD, &default_action, &old_child_action);
  sigprocmask(SIG_BLOCK, &signals, &old_mask);
  pid_t child = fork();
  if (child < 0)
    message_die(STATUS_TROUBLE, "no process can be started: %s", strerror(errno));
  if (child == 0) {
    sigaction(SIGCHLD, &old_child_action, NULL);
    sigprocmask(SIG_SETMASK, &old_mask, NULL);
    launch_exec(command);
  }
  int status = wait_for(child, &signals);
  forget_signals(&signals);
  sigprocmask(SIG_SETMASK, &old_mask, NULL);
  return status;
}
