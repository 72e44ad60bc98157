/* SPDX-License-Identifier: MIT */
#include "record.h"

#include "message.h"
#include "record_line.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct record_stack *
record_find_stack(struct image *image, int64_t id) {
  return *table_slot(&image->stacks, memory_format("%" PRId64, id));
}

/* After the last line of a file. */
static void
settle_image(struct image *image) {
  struct process *process = image->process;
  if (image->unreadable) {
    process->is_checked = false;
    process->error = image->unreadable;
  } else if (!process->is_checked && !process->error && !image->exec_path) {
    process->error = "it ended before it was checked";
  }
}

static void
settle_file(struct record_reader *reader, size_t first_image) {
  const struct record *record = reader->record;
  const struct image *last = reader->image;
  for (size_t i = first_image; i < record->images.count; i++)
    settle_image(record->images.items[i]);
  if (!last)
    record_add_unchecked(reader, "", 0, memory_format("%s tells of no process", reader->path));
  else if (last->exec_path && !last->unreadable)
    record_add_unchecked(reader, last->exec_path, last->process->pid,
                         "the library was not loaded by this program after exec");
  if (last && reader->image != last)
    reader->image->process->cwd = last->process->cwd;
}

static void
record_read_file(struct record *record, const char *path) {
  struct record_reader reader = {.record = record, .path = path};
  size_t first_image = record->images.count, capacity = 0;
  char *line = NULL;
  FILE *file = fopen(path, "r");
  if (!file)
    message_die(STATUS_TROUBLE, "%s: %s", path, strerror(errno));
  errno = 0;
  for (ssize_t length; (length = getline(&line, &capacity, file)) > 0;)
    if (line[length - 1] == '\n')   /* else cut short by the end of the process */
      record_take_line(&reader, line, (size_t)length);
  if (ferror(file))
    message_die(STATUS_TROUBLE, "%s: %s", path, strerror(errno));
  free(line);
  fclose(file);
  settle_file(&reader, first_image);
}

static int
is_report(const struct dirent *entry) {
  const char *dot = strrchr(entry->d_name, '.');
  return dot && strcmp(dot, ".jsonl") == 0;
}

void
record_read(struct record *record, const char *path) {
  struct stat status;
  struct dirent **entries;
  if (stat(path, &status))
    message_die(STATUS_TROUBLE, "%s: %s", path, strerror(errno));
  if (!S_ISDIR(status.st_mode)) {
    record_read_file(record, path);
    return;
  }
  int count = scandir(path, &entries, is_report, versionsort);
  if (count < 0)
    message_die(STATUS_TROUBLE, "%s: %s", path, strerror(errno));
  for (int i = 0; i < count; i++) {
    record_read_file(record, memory_format("%s/%s", path, entries[i]->d_name));
    free(entries[i]);
  }
  free(entries);
}
