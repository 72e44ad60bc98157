" Edit, undo, sort and substitute, with lists, dictionaries and closures.
set nocompatible undolevels=1000 nomore
let s:x = 12345
function! Rnd(n)
  let s:x = s:x * 16807 % 2147483647
  return s:x % a:n
endfunction
let d = {}
for i in range(30000)
  let k = 'key' . Rnd(3000)
  if !has_key(d, k) || len(d[k]) > 8
    let d[k] = []
  elseif i % 9 == 0
    call filter(d[k], 'v:key % 2')
  endif
  call add(d[k], string(i) . repeat('-', i % 30))
endfor
" Cyclic values, for the garbage collector.
for i in range(2000)
  let c = {'n': i}
  let c.self = [c]
endfor
unlet c
call garbagecollect()
%s/\v(\w)(\w+) (\d+)/\2\1 \3/
sort n /\a* /
g/ba.*7/m0
silent! 1,5000g/zi/normal! yyPA end
let before = line('$')
1,3000d
undo
redo
undo
%s/[aeiou]/\=toupper(submatch(0))/g
syntax on
set filetype=c foldmethod=indent
for i in range(1, 300)
  call synID(i, 1, 1)
endfor
let text = join(map(sort(keys(d)), {i, k -> k . ':' . len(g:d[k])}), ',')
call append('$', [before, len(text), strpart(text, 100, 60), string(matchlist(text, '\(y1\)\(\d\+\)')[1:2])])
call append('$', system('echo child; exit 3') . v:shell_error)
call append('$', json_encode({'a': [1, 2.5, v:null]}))
w! result
qa!
