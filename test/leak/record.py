# SPDX-License-Identifier: MIT
"""record.py [-o] [-s DIR] [-t FUNCTION] FILE...: what records of leak checks tell, in lines to be compared.

Each stack is told by its innermost function whose name begins with leak_ or keep_, or else by its innermost one.
-o           tells of each indirect leak alone, and what it hangs off
-s DIR       symbols of a stripped module are read from the file of its name in DIR
-t FUNCTION  tells only of each stack that has it how often, and whether the stack is whole or cut
"""
import bisect
import functools
import getopt
import json
import os
import subprocess
import sys

symbol_directory = None


@functools.lru_cache(maxsize=None)
def read_module(path):
  """The build id, and the functions as sorted (start, end, name)."""
  text = subprocess.run(["readelf", "-nsW", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
  build_id, functions = "", []
  for words in map(str.split, text.splitlines()):
    if words[-3:-1] == ["Build", "ID:"]:
      build_id = words[-1]
    elif len(words) == 8 and words[3] == "FUNC" and words[6] != "UND":
      start = int(words[1], 16)
      functions.append((start, start + int(words[2], 0), words[7].split("@")[0]))
  return build_id, sorted(functions)


def file_with_symbols(path):
  twin = os.path.join(symbol_directory, os.path.basename(path)) if symbol_directory else ""
  return twin if os.path.exists(twin) else path


def function_at(module, offset):
  """Of the call before the return address."""
  if not module:
    return "?"
  build_id, functions = read_module(file_with_symbols(module["path"]))
  if build_id != module["build_id"]:
    return "wrong-build-id"
  i = bisect.bisect(functions, (offset - 1, float("inf"))) - 1
  return functions[i][2] if i >= 0 and offset - 1 < functions[i][1] else "?"


class Image:
  """What follows a process line, up to the next one."""

  def __init__(self, process):
    self.process = process
    self.modules, self.stacks, self.leaks, self.sites, self.indirect = {0: None}, {0: None}, [], [], []
    self.lines = [process["type"] + (" forked" if process["forked"] else "")]

  def functions(self, stack):
    frames = self.stacks[stack]["frames"] if stack else []
    return [function_at(self.modules[module], offset) for module, offset in frames]

  def own_functions(self, stack):
    return [function for function in self.functions(stack) if function.startswith(("leak_", "keep_"))]

  def name_of(self, stack):
    functions = self.own_functions(stack) or self.functions(stack) or ["?"]
    return functions[0] + " " + (self.stacks[stack]["by"] if stack else "?")

  def leaks_of(self, check):
    return [leak for leak in self.leaks if leak["check"] == check]

  def add_leak(self, leak):
    """What is told apart by what it hangs off alone is one leak."""
    for before in self.leaks:
      if all(before[name] == leak[name] for name in ("check", "kind", "stack", "cycle")):
        before["blocks"] += leak["blocks"]
        before["bytes"] += leak["bytes"]
        before["owners"] = None
        return
    self.leaks.append(dict(leak))

  def tell_owners(self):
    for leak in self.indirect:
      owners = " ".join(sorted(self.name_of(owner).split()[0] for owner in leak["owners"]))
      print("{name} {blocks} {bytes}:".format(name=self.name_of(leak["stack"]), **leak), owners)

  def tell_leak(self, leak):
    line = "{kind} {name} {blocks} {bytes}".format(name=self.name_of(leak["stack"]), **leak)
    if leak["cycle"]:
      line += " cycle"
    if leak["kind"] == "direct" and (leak["reach_blocks"], leak["reach_bytes"]) != (leak["blocks"], leak["bytes"]):
      line += " reach {reach_blocks} {reach_bytes}".format(**leak)
    return line

  def tell_check(self, check):
    line = "check {reason} leaked {leaked_blocks} {leaked_bytes}".format(**check)
    if check["ignored_blocks"]:
      line += " ignored {ignored_blocks} {ignored_bytes}".format(**check)
    if check["error"]:
      line += " error " + check["error"]
    return line + (" last" if check["last"] else "")

  def add(self, line):
    kind = line["type"]
    if kind == "module":
      self.modules[line["id"]] = line
    elif kind == "stack":
      self.stacks[line["id"]] = line
    elif kind == "leak":
      self.add_leak(line)
      if line["kind"] == "indirect":
        self.indirect.append(line)
    elif kind == "site":
      self.sites.append(line)
    elif kind == "check":
      self.lines += sorted(map(self.tell_leak, self.leaks_of(line["number"])))
      self.lines.append(self.tell_check(line))
    elif kind == "exec":
      self.lines.append("exec " + os.path.basename(line["path"]))
    elif kind == "end":
      self.lines.append("end %d" % line["status"])
    elif kind == "suppressions":
      self.lines.append("suppressions " + repr(line["text"]))


def tell_stacks(image, function):
  for stack in filter(None, image.stacks.values()):
    count = image.functions(stack["id"]).count(function)
    if count:
      print("%d:%s" % (count, "cut" if stack["is_cut"] else "whole"))


def read(paths):
  """All images, in the order in which they started."""
  images = []
  for path in paths:
    with open(path, encoding="utf-8") as file:
      for text in file:
        line = json.loads(text)
        if next(iter(line)) != "type":
          raise ValueError("a line that does not begin with its type")
        if line["type"] == "process":
          images.append(Image(line))
        else:
          images[-1].add(line)
  return sorted(images, key=lambda image: image.process["time_ns"])


if __name__ == "__main__":
  pairs, files = getopt.getopt(sys.argv[1:], "os:t:")
  options = dict(pairs)
  symbol_directory = options.get("-s")
  for each in read(files):
    if "-t" in options:
      tell_stacks(each, options["-t"])
    elif "-o" in options:
      each.tell_owners()
    else:
      print("\n".join(each.lines))
