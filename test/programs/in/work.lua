local x = 12345
local function rnd(n) x = x * 16807 % 2147483647; return x % n end
-- Tables of all sizes, and garbage.
local t, n = {}, 0
for i = 1, 200000 do
  local k = "key" .. rnd(20000)
  local e = t[k]
  if e and rnd(4) == 0 then t[k] = nil
  else t[k] = { i, k, next = e and e.next, s = ("%d:%s"):format(i, k) } end
end
local keys = {}
for k in pairs(t) do keys[#keys + 1] = k end
table.sort(keys)
print(#keys, keys[1], t[keys[1]].s)
-- Weak tables and finalizers.
local dead = 0
local weak = setmetatable({}, { __mode = "k" })
for i = 1, 50000 do
  local o = setmetatable({}, { __gc = function() dead = dead + 1 end })
  weak[o] = { o }
end
collectgarbage()
collectgarbage()
print(dead, next(weak))
-- Trees, closures, coroutines.
local function tree(d) if d == 0 then return {} end return { tree(d - 1), tree(d - 1) } end
local function check(t) return t[1] and 1 + check(t[1]) + check(t[2]) or 1 end
for _, mode in ipairs { "incremental", "generational" } do
  collectgarbage(mode)
  local s = 0
  for i = 1, 30 do s = s + check(tree(11)) end
  print(mode, s, check(tree(16)))
end
local cs, sum = {}, 0
for i = 1, 2000 do
  cs[i] = coroutine.wrap(function(a) while true do a = a + coroutine.yield(a * i) end end)
end
for r = 1, 20 do for i = 1, #cs do sum = (sum + cs[i](r)) % 1000000007 end end
print(sum)
-- Strings and buffers.
local parts = {}
for i = 1, 50000 do parts[#parts + 1] = ("x"):rep(rnd(40)) .. i end
local s = table.concat(parts, ",")
print(#s, select(2, s:gsub("x+(%d)(%d)", "%2%1")), s:reverse():sub(1, 30))
local words = {}
for w in s:gmatch("[^,]+") do words[w:sub(-3)] = (words[w:sub(-3)] or 0) + 1 end
local c = 0
for _, v in pairs(words) do c = c + v end
print(c, pcall(error, { code = 1 }) and 1 or "error")
