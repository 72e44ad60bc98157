# SPDX-License-Identifier: MIT
# An SVG drawing: groups, gradients, clones, paths.
# usage: awk -v count=N -f drawing.awk
function below(n) { seed = (seed * 16807) % 2147483647; return seed % n }
BEGIN {
  seed = 7
  print "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"400\" height=\"400\"><defs>"
  for (i = 0; i < 20; i++) {
    printf "<linearGradient id=\"g%d\"><stop offset=\"0\" stop-color=\"#%06x\"/><stop offset=\"1\" stop-color=\"#%06x\"/></linearGradient>\n", i, below(16777216), below(16777216)
  }
  print "<path id=\"leaf\" d=\"M0,0 C5,-9 12,-9 16,0 C12,9 5,9 0,0 Z\"/></defs>"
  for (i = 0; i < count; i++) {
    printf "<g transform=\"translate(%d,%d) rotate(%d)\"><rect id=\"r%d\" width=\"%d\" height=\"%d\" style=\"fill:url(#g%d);stroke:#222\"/>", below(380), below(380), below(360), i, 5 + below(30), 5 + below(30), below(20)
    printf "<path d=\"M0,0 q%d,%d %d,%d t%d,%d\" fill=\"none\" stroke=\"#%06x\"/><use xlink:href=\"#leaf\"/></g>\n", below(30), below(30), below(30), below(30), below(20), below(20), below(16777216)
  }
  print "</svg>"
}
