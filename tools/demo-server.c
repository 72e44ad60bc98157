/* SPDX-License-Identifier: MIT */
/*
 * A server that leaks, for tools/demo: ordinary C that knows nothing of cgc.
 *
 * Usage: demo-server serve SOCKET LIVE_MIB SAMPLES REQUESTS
 *        demo-server load SOCKET LIVE_MIB REQUESTS
 *
 * serve  Keeps LIVE_MIB of profiles and answers over a Unix socket:
 *            GET number           -> version text
 *            PUT number version   -> version
 *            STOP
 *        Each connection is a session with a history of what was asked and answered.  The bug: a session
 *        that ends is taken out of the table and forgotten, history and all.  It prints a line "requests
 *        seconds rss_kib live_kib" at the start and SAMPLES times during REQUESTS requests, and "peak rss_kib" at
 *        the end.  Live is what the program itself knows that it keeps.
 * load   Asks REQUESTS times (a multiple of 20), in sessions of 20 requests, 16 of which are open at a time, and
 *        checks every byte of every reply.  Prints "right N" and tells the server to stop.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
  TEXT_BYTES_MIN = 600, TEXT_BYTES_MAX = 1400, PROFILES_PER_MIB = 1024,
  SESSIONS_MAX = 1024, SESSION_REQUESTS = 20, SESSIONS_OPEN = 16,
  LINE_BYTES_MAX = 4096, PUT_EVERY = 10,
};

static void
fail(const char *what) {
  fprintf(stderr, "demo-server: %s: %s\n", what, errno ? strerror(errno) : "wrong");
  exit(1);
}

/* Every allocation of the server: an out-of-memory error ends it. */
static void *
make(size_t bytes) {
  void *block = malloc(bytes);
  if (!block)
    fail("malloc");
  return block;
}

static double
now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct sockaddr_un
address_of(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path)
    fail("the socket's path is too long");
  strcpy(address.sun_path, path);
  return address;
}

/* ---- texts: the client knows what each version of each profile must say ---- */

static uint64_t
next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static size_t
text_of(unsigned number, unsigned version, char *text) {
  uint64_t state = (uint64_t)(number + 1) << 32 | (version + 1);
  next_random(&state);
  size_t bytes = TEXT_BYTES_MIN + next_random(&state) % (TEXT_BYTES_MAX - TEXT_BYTES_MIN);
  for (size_t at = 0; at < bytes; at += 8) {
    uint64_t word = (next_random(&state) & 0x0f0f0f0f0f0f0f0f) + 0x6161616161616161;   /* letters */
    memcpy(text + at, &word, bytes - at < 8 ? bytes - at : 8);
  }
  text[bytes] = 0;
  return bytes;
}

/* ---- the server's data ---- */

struct profile {
  unsigned version;
  size_t   bytes;
  char    *text;
};

/* A request that was served, in a session's history. */
struct record {
  struct record *before;
  char *question;
  char *answer;
};

struct session {
  int fd;
  struct record *history;
  size_t history_bytes;
  size_t input_bytes;
  char input[LINE_BYTES_MAX];
};

static struct profile **profiles;
static unsigned profile_count;
static struct session *sessions[SESSIONS_MAX];   /* by descriptor */
static size_t live_bytes;
static unsigned long requests;

static void
fill_profile(struct profile *profile, unsigned number, unsigned version) {
  char text[TEXT_BYTES_MAX + 1];
  live_bytes -= profile->text ? profile->bytes + 1 : 0;
  free(profile->text);   /* a program that leaks does free most of what it allocates */
  profile->version = version;
  profile->bytes = text_of(number, version, text);
  profile->text = make(profile->bytes + 1);
  memcpy(profile->text, text, profile->bytes + 1);
  live_bytes += profile->bytes + 1;
}

static void
make_profiles(unsigned mib) {
  profile_count = mib * PROFILES_PER_MIB;
  profiles = make(profile_count * sizeof *profiles);
  live_bytes = profile_count * sizeof *profiles;
  for (unsigned i = 0; i < profile_count; i++) {
    profiles[i] = make(sizeof *profiles[i]);
    *profiles[i] = (struct profile){0};
    live_bytes += sizeof *profiles[i];
    fill_profile(profiles[i], i, 0);
  }
}

/* ---- sessions ---- */

static void
remember(struct session *session, const char *question, const char *answer) {
  struct record *record = make(sizeof *record);
  size_t question_bytes = strlen(question) + 1, answer_bytes = strlen(answer) + 1;
  record->before = session->history;
  record->question = memcpy(make(question_bytes), question, question_bytes);
  record->answer = memcpy(make(answer_bytes), answer, answer_bytes);
  session->history = record;
  session->history_bytes += sizeof *record + question_bytes + answer_bytes;
  live_bytes += sizeof *record + question_bytes + answer_bytes;
}

static void
open_session(int fd) {
  if (fd >= SESSIONS_MAX)
    fail("too many sessions");
  struct session *session = make(sizeof *session);
  *session = (struct session){.fd = fd};
  sessions[fd] = session;
  live_bytes += sizeof *session;
}

/* The leak: nobody frees the session and its history, and nothing points to them any more. */
static void
end_session(struct session *session) {
  live_bytes -= sizeof *session + session->history_bytes;
  sessions[session->fd] = NULL;
  close(session->fd);
}

/* ---- serving ---- */

static unsigned long sample_every;
static double started;

static long
status_kib(const char *field) {
  char line[200];
  long kib = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (!strncmp(line, field, strlen(field)))
      kib = atol(line + strlen(field));
  if (status)
    fclose(status);
  return kib;
}

static void
sample(void) {
  printf("%lu %.2f %ld %zu\n", requests, now() - started, status_kib("VmRSS:"), live_bytes / 1024);
  fflush(stdout);
}

static void
send_all(int fd, const char *data, size_t bytes) {
  while (bytes > 0) {
    ssize_t sent = send(fd, data, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR)
      fail("send");
    if (sent > 0) {
      data += sent;
      bytes -= (size_t)sent;
    }
  }
}

static void
answer(struct session *session, const char *question) {
  char reply[LINE_BYTES_MAX];
  unsigned number, version;
  if (sscanf(question, "PUT %u %u", &number, &version) == 2 && number < profile_count) {
    fill_profile(profiles[number], number, version);
    snprintf(reply, sizeof reply, "%u\n", version);
  } else if (sscanf(question, "GET %u", &number) == 1 && number < profile_count) {
    snprintf(reply, sizeof reply, "%u %s\n", profiles[number]->version, profiles[number]->text);
  } else {
    snprintf(reply, sizeof reply, "what?\n");
  }
  remember(session, question, reply);
  send_all(session->fd, reply, strlen(reply));
  if (++requests % sample_every == 0)
    sample();
}

/* False when the client wants the server to end. */
static bool
serve_lines(struct session *session) {
  char *line = session->input, *end = line + session->input_bytes, *newline;
  while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
    *newline = 0;
    if (!strcmp(line, "STOP"))
      return false;
    answer(session, line);
    line = newline + 1;
  }
  session->input_bytes = (size_t)(end - line);
  memmove(session->input, line, session->input_bytes);
  return true;
}

static bool
serve_session(struct session *session) {
  ssize_t bytes = recv(session->fd, session->input + session->input_bytes, sizeof session->input - session->input_bytes, 0);
  if (bytes < 0 && errno == EINTR)
    return true;
  if (bytes <= 0) {
    end_session(session);
    return true;
  }
  session->input_bytes += (size_t)bytes;
  return serve_lines(session);
}

static int
listen_at(const char *path) {
  struct sockaddr_un address = address_of(path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, SOMAXCONN))
    fail(path);
  return fd;
}

static void
watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
    fail("epoll_ctl");
}

static void
accept_session(int epoll, int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0)
    return;
  open_session(fd);
  watch(epoll, fd);
}

static void
serve(const char *path, unsigned mib, unsigned long samples, unsigned long requests_planned) {
  started = now();
  sample_every = requests_planned / samples;
  make_profiles(mib);
  int listener = listen_at(path), epoll = epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener);
  sample();
  for (bool goes_on = true; goes_on;) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < count && goes_on; i++) {
      int fd = events[i].data.fd;
      if (fd == listener)
        accept_session(epoll, listener);
      else
        goes_on = serve_session(sessions[fd]);
    }
  }
  printf("peak %ld\n", status_kib("VmHWM:"));
}

/* ---- the client ---- */

/* A question under way, and the reply that is right. */
struct question {
  unsigned number;
  unsigned version;
  bool     is_put;
};

struct connection {
  FILE *stream;
  struct question questions[SESSION_REQUESTS];
};

static FILE *
connect_to(const char *path) {
  enum { ATTEMPTS = 3000, ATTEMPT_US = 10000 };   /* the server may still be starting */
  struct sockaddr_un address = address_of(path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  for (int i = 0; i < ATTEMPTS; i++) {
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
      return fdopen(fd, "r+");
    usleep(ATTEMPT_US);
  }
  fail(path);
  return NULL;
}

static void
ask(FILE *stream, const struct question *question) {
  if (question->is_put)
    fprintf(stream, "PUT %u %u\n", question->number, question->version);
  else
    fprintf(stream, "GET %u\n", question->number);
}

static void
check_reply(FILE *stream, const struct question *question) {
  char reply[LINE_BYTES_MAX], wanted[LINE_BYTES_MAX], text[TEXT_BYTES_MAX + 1];
  text_of(question->number, question->version, text);
  snprintf(wanted, sizeof wanted, question->is_put ? "%u\n" : "%u %s\n", question->version, text);
  errno = 0;
  if (!fgets(reply, sizeof reply, stream))
    fail("the server is gone");
  if (strcmp(reply, wanted)) {
    fprintf(stderr, "demo-server: a wrong reply:\n  %.60s...\n  %.60s... is right\n", reply, wanted);
    exit(1);
  }
}

/* Asks all questions of a session at once. */
static void
begin_session(struct connection *connection, const char *path) {
  connection->stream = connect_to(path);
  for (int i = 0; i < SESSION_REQUESTS; i++)
    ask(connection->stream, &connection->questions[i]);
  fflush(connection->stream);
}

static void
finish_session(struct connection *connection) {
  for (int i = 0; i < SESSION_REQUESTS; i++)
    check_reply(connection->stream, &connection->questions[i]);
  fclose(connection->stream);
  connection->stream = NULL;
}

/* A profile belongs to one of the sessions that may be open together, so that its version is known. */
static void
choose_questions(struct connection *connection, unsigned index, unsigned *versions, unsigned profile_total) {
  static uint64_t random = 88172645463325252;
  for (unsigned i = 0; i < SESSION_REQUESTS; i++) {
    unsigned number = (unsigned)(next_random(&random) % (profile_total / SESSIONS_OPEN)) * SESSIONS_OPEN + index;
    bool is_put = i % PUT_EVERY == 0;
    versions[number] += is_put;
    connection->questions[i] = (struct question){number, versions[number], is_put};
  }
}

static void
load(const char *path, unsigned mib, unsigned long count) {
  struct connection connections[SESSIONS_OPEN] = {0};
  unsigned profile_total = mib * PROFILES_PER_MIB;
  unsigned *versions = calloc(profile_total, sizeof *versions);
  for (unsigned long i = 0; i < count / SESSION_REQUESTS + SESSIONS_OPEN; i++) {
    struct connection *connection = &connections[i % SESSIONS_OPEN];
    if (connection->stream)
      finish_session(connection);
    if (i < count / SESSION_REQUESTS) {
      choose_questions(connection, (unsigned)(i % SESSIONS_OPEN), versions, profile_total);
      begin_session(connection, path);
    }
  }
  FILE *last = connect_to(path);
  fputs("STOP\n", last);
  fclose(last);
  printf("right %lu\n", count);
}

int
main(int argc, char **argv) {
  if (argc == 6 && !strcmp(argv[1], "serve"))
    serve(argv[2], (unsigned)atoi(argv[3]), strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));
  else if (argc == 5 && !strcmp(argv[1], "load"))
    load(argv[2], (unsigned)atoi(argv[3]), strtoul(argv[4], NULL, 10));
  else {
    fprintf(stderr, "usage: demo-server serve SOCKET LIVE_MIB SAMPLES REQUESTS\n       demo-server load SOCKET LIVE_MIB REQUESTS\n");
    return 2;
  }
  return 0;
}
