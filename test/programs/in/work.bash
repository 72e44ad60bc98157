# shellcheck shell=bash disable=SC2116,SC2050,SC2093,SC1083
# Arrays, strings, functions, subshells, here-documents.
declare -A count
declare -a list
x=1
rnd() { x=$((x * 16807 % 2147483647)); r=$((x % $1)); }
for ((i = 0; i < 25000; i++)); do
    rnd 3000
    count[key$r]=$((${count[key$r]:-0} + 1))
    list+=("item $r of $i")
    ((i % 3)) || unset "count[key$((r / 2))]"
done
echo "${#count[@]} ${#list[@]}"
s=
for i in "${list[@]:0:3000}"; do
    i=${i//item/thing}
    s+=${i^^}:
done
echo "${#s} ${s:1000:40}"
IFS=: read -r -a parts <<<"$s"
echo "${#parts[@]} ${parts[2999]}"
fib() { local n=$1 a; if ((n < 2)); then echo "$n"; else a=$(fib $((n - 1))); echo $((a + $(fib $((n - 2))))); fi; }
fib 9
for i in 1 2 3 4 5; do
    (rnd 100; exit $((r % 5)))
    echo "exit $?"
done
while read -r a b; do
    case $a in
    *7) out+="$b " ;;
    [1-3]*5) out+="<${b%o*}> " ;;
    esac
done < <(for ((i = 0; i < 4000; i++)); do echo "$i word$((i * i))of"; done)
echo "${#out} ${out: -60}"
sorted=$(printf '%s\n' "${!count[@]}" | sort | head -n 5)
cat <<END
$sorted
$(echo nested "$(echo more "$(echo most)")")
END
printf -v p '%08.3f|%-10s|%x' 3.14159 left 255
echo "$p"
[[ "date 2024-05-06" =~ ([0-9]+)-([0-9]+)-([0-9]+) ]] && echo "${BASH_REMATCH[@]}"
sh -c 'kill -TERM $$' 2>/dev/null
echo "killed $?"
{ echo a; sleep 0; echo b; } | tac
coproc cat
echo through >&"${COPROC[1]}"
read -r line <&"${COPROC[0]}"
echo "$line"
exec {COPROC[1]}>&-
wait
exit 0
