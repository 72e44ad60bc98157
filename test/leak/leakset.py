# SPDX-License-Identifier: MIT
"""leakset.py [-s DIR] OUTPUT FILE...: whether records tell just those leaks that leakset has announced."""
import getopt
import json
import sys

import record


def is_told(leak):
  return leak["kind"] in ("direct", "indirect")


class Found:
  """What is told of one function."""

  def __init__(self, image, function):
    check = max(leak["check"] for leak in image.leaks)
    mine = [leak for leak in image.leaks if leak["check"] == check and function in image.functions(leak["stack"])]
    leaks = [leak for leak in mine if is_told(leak)]
    self.kinds = {"cycle" if leak["cycle"] else leak["kind"] for leak in leaks}
    self.blocks = sum(leak["blocks"] for leak in leaks)
    self.bytes = sum(leak["bytes"] for leak in leaks)


def complaints(image, expected):
  """Of leaks that should be there."""
  for leak in expected:
    found = Found(image, leak["function"])
    kinds = {"cycle": {"cycle", "indirect"}}.get(leak["kind"], {leak["kind"]})
    if leak["kind"] == "ambiguous":
      continue
    if found.blocks != leak["blocks"] or (leak["exact"] and found.bytes != leak["bytes"]):
      yield ("{function}: {blocks} blocks, {bytes} bytes expected, not {found.blocks}, {found.bytes}"
             .format(found=found, **leak))
    elif found.kinds != kinds:
      yield "%s: kinds %s" % (leak["function"], found.kinds)


def complaints_of_reachable(image, reachable):
  for block in reachable:
    if Found(image, block["function"]).blocks:
      yield block["function"] + ": told as a leak"


def complaint_of_total(image, blocks):
  found = sum(leak["blocks"] for leak in image.leaks if is_told(leak))
  if found != blocks:
    yield "%d leaked blocks in all, not %d" % (found, blocks)


def main():
  options, (output, *files) = getopt.getopt(sys.argv[1:], "s:")
  record.symbol_directory = dict(options).get("-s")
  with open(output, encoding="utf-8") as file:
    expected = json.loads(next(line for line in file if line.startswith("{")))
  images = record.read(files)
  parent = next(image for image in images if not image.process["forked"])
  child = next(image for image in images if image.process["forked"])
  child_blocks = sum(leak["blocks"] for leak in expected["child"])
  found = [*complaints(parent, expected["leaks"]), *complaints_of_reachable(parent, expected["reachable"]),
           *complaint_of_total(parent, expected["total"]["blocks"]),
           *complaints(child, expected["child"]), *complaint_of_total(child, child_blocks)]
  for line in found:
    print(line)
  sys.exit(1 if found else 0)


main()
