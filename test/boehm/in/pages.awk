# SPDX-License-Identifier: MIT
# HTML of a kind: tables, nested tables, forms, lists and definitions, entities and UTF-8, links, preformatted text.
# usage: awk -v kind=NAME -v count=N -f pages.awk
function below(n) { seed = (seed * 16807) % 2147483647; return seed % n }
function word() { return substr("lorem ipsum dolor sit amet consectetur adipiscing elit", 1 + below(40), 2 + below(9)) }
function text(n,    s) { s = ""; while (n-- > 0) s = s word() (below(9) ? " " : ", "); return s }
function table(rows, columns, depth,    i, j) {
  print "<table border=" below(2) " width=\"" (40 + below(60)) "%\" cellpadding=" below(4) "><caption>" text(3) "</caption>"
  for (i = 0; i < rows; i++) {
    print "<tr" (below(4) ? "" : " align=center") ">"
    for (j = 0; j < columns; j++) {
      printf "<%s%s%s>", (i ? "td" : "th"), (below(11) ? "" : " colspan=2"), (below(13) ? "" : " rowspan=2")
      if (depth > 0 && below(7) == 0) table(3, 3, depth - 1); else printf "%s", text(1 + below(5))
      print "</" (i ? "td" : "th") ">"
    }
    print "</tr>"
  }
  print "</table>"
}
BEGIN {
  seed = 4711
  print "<!DOCTYPE html><html><head><meta charset=utf-8><title>" kind " page</title></head><body><h1>" kind "</h1>"
  for (n = 0; n < count; n++) {
    if (kind == "tables") table(12, 5, 2)
    if (kind == "forms") {
      printf "<form action=x%d method=post><p>%s<input type=text name=a size=%d value=\"%s\">", n, text(3), 5 + below(20), word()
      printf "<input type=checkbox name=b%s><input type=radio name=c checked><select name=d>", (below(2) ? " checked" : "")
      for (i = 0; i < 12; i++) printf "<option value=%d%s>%s", i, (i == 5 ? " selected" : ""), text(2)
      print "</select><textarea name=e rows=3 cols=30>" text(12) "</textarea><button>" word() "</button><input type=submit></form>"
    }
    if (kind == "lists") {
      print "<h2>" text(4) "</h2><ul>"
      for (i = 0; i < 6; i++) print "<li>" text(12) "<ol type=i><li>" text(5) "<li><b>" word() "</b> <i>" word() "</i></ol>"
      print "</ul><dl><dt>" word() "<dd>" text(20) "<dt>" word() "<dd>" text(9) "</dl><blockquote>" text(30) "</blockquote><hr>"
    }
    if (kind == "entities") {
      print "<p>&lt;&amp;&gt; &copy; &eacute;&uuml;&szlig; &#" (192 + below(60)) "; &alpha;&beta;&rarr; &hellip; &mdash; &nbsp;"
      print "stra\303\237e \316\261\316\262\316\263 \346\227\245\346\234\254\350\252\236 \320\277\321\200\320\270\320\262\320\265\321\202 \360\237\230\200 " text(15)
      print "<a href=\"http://host" n ".invalid/a?b=c&amp;d=" n "\">" text(3) "</a> <img src=x.png alt=\"" word() "\"> <sub>" n "</sub><sup>2</sup></p>"
      print "<pre>\n\t" text(4) "\n   " text(3) "\n</pre><del>" word() "</del> <ins>" word() "</ins>"
    }
  }
  print "</body></html>"
}
