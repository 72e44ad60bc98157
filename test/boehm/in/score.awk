# SPDX-License-Identifier: MIT
# A score for LilyPond: several staves, chords, tuplets, slurs, lyrics.
# usage: awk -v bars=N -f score.awk
function below(n) { seed = (seed * 16807) % 2147483647; return seed % n }
function pitch() { return substr("cdefgab", 1 + below(7), 1) substr("      eis", 1, 0) (below(6) ? "" : "is") (below(3) ? "'" : "''") }
function bar(    k) {
  k = below(4)
  if (k == 0) return pitch() "4 " pitch() " " pitch() " " pitch()
  if (k == 1) return "<" pitch() " " pitch() ">2 " pitch() "4( " pitch() ")"
  if (k == 2) return "\\tuplet 3/2 { " pitch() "8 " pitch() " " pitch() " } " pitch() "4-. " pitch() "2->"
  return pitch() "16 " pitch() " " pitch() " " pitch() " " pitch() "8 " pitch() " r4 " pitch() "4~\\p"
}
function voice(    i) { for (i = 0; i < bars; i++) print "    " bar() " |" }
BEGIN {
  seed = 99
  print "\\version \"2.22.0\"\n\\header { title = \"Work\" tagline = ##f }\n\\score { <<"
  for (staff = 0; staff < 3; staff++) {
    print "  \\new Staff { \\clef " (staff == 2 ? "bass" : "treble") " \\time 4/4 \\key g \\major"
    voice()
    print "  }"
  }
  print ">> \\layout { } \\midi { } }"
}
