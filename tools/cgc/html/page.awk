# SPDX-License-Identifier: MIT
# Makes the page one C file: awk -f page.awk page.html; its style and script are in the same directory.

function put(line) {
  gsub(/[\\"]/, "\\\\&", line)
  print "  \"" line "\\n\""
}

function put_file(name) {
  sub(/[^\/]*$/, name, path)
  while ((got = (getline line < path)) > 0)
    put(line)
  if (got < 0) {
    print path ": cannot be read" > "/dev/stderr"
    exit failed = 1
  }
}

BEGIN {
  path = ARGV[1]
  print "/* Generated from page.html, page.css and page.js. */\n#include \"html_page.h\"\n"
  print "const char html_page_before_data[] ="
}
/^@STYLE@$/ { put_file("page.css"); next }
/^@SCRIPT@$/ { put_file("page.js"); next }
/^@DATA@$/ { print "  ;\n\nconst char html_page_after_data[] ="; next }
{ put($0) }
END { if (!failed) print "  ;" }
