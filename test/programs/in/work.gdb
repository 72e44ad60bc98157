handle SIG58 nostop noprint pass
set confirm off
set pagination off
set width 0
set debuginfod enabled off
set startup-with-shell off
set print address off
info types node
info scope walk
disassemble walk
list add
break walk if n == 0
commands
  silent
  bt 5
  info locals
end
tbreak add if i == 3
run
info args
finish
print *list
print list->next->name
watch depth
continue
continue
delete
break walk if n && n->value == 49
continue
bt 4
up 3
print *n
print n->name
ptype n
delete
call walk(n)
continue
