# A C++ program with many instantiations of the standard templates.
BEGIN {
    n = split("map set vector string memory algorithm functional iostream sstream unordered_map", h, " ")
    for (i = 1; i <= n; i++)
        print "#include <" h[i] ">"
    print "template <int N> struct K { int v; std::string s;"
    print "  bool operator<(const K &o) const { return v % (N + 2) < o.v % (N + 2) || (v % (N + 2) == o.v % (N + 2) && s < o.s); } };"
    print "template <int N> unsigned work(unsigned seed) {"
    print "  std::map<K<N>, std::vector<std::string>> m; std::set<K<N>> s;"
    print "  std::unordered_map<std::string, std::shared_ptr<K<N>>> u;"
    print "  for (int i = 0; i < 40; i++) {"
    print "    seed = seed * 1103515245u + 12345u;"
    print "    K<N> k{int(seed >> 16), std::to_string(seed % 97)};"
    print "    m[k].push_back(k.s); s.insert(k); u[k.s] = std::make_shared<K<N>>(k);"
    print "  }"
    print "  std::vector<K<N>> v(s.begin(), s.end());"
    print "  std::stable_sort(v.begin(), v.end(), [](const K<N> &a, const K<N> &b) { return a.s < b.s; });"
    print "  std::ostringstream o; std::function<void(const K<N> &)> f = [&](const K<N> &k) { o << k.v << k.s; };"
    print "  for (auto &k : v) f(k);"
    print "  unsigned r = m.size() + u.size(); for (char c : o.str()) r = r * 31 + c; return r; }"
    print "int main() { unsigned r = 7;"
    for (i = 0; i < types; i++)
        print "  try { r = work<" i ">(r); if (r % 3 == 0) throw std::to_string(r); } catch (const std::string &e) { r += e.size(); }"
    print "  std::cout << r << '\\n'; }"
}
