#!/usr/bin/env bash
# Runs a program in a world at an address of its own: it comes from there, and is alone there.
#
#   house.sh IP COMMAND...        inside `kadscope testnet --world`, IP in 18.0.0.0/8
#
# Programs that share the network of a world all come from its one address for those who bind none, and
# hosts admit few connections from one address. A house is a network namespace of its own whose only way
# out is a cable into the world; so nothing leaves by it either. The program takes the place of this
# script: it has its pid. The house stands until the world ends.
set -euo pipefail

# Where programs of a world come from otherwise. Here the gate of all houses, and who answers for names.
gate=44.0.0.1

fail() {
    echo "house.sh: $*" >&2
    exit 1
}

[ $# -ge 2 ] || {
    echo "usage: house.sh IP COMMAND..." >&2
    exit 2
}
ip=$1
shift
[[ $ip =~ ^18(\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}$ ]] || fail "'$ip' is not in 18.0.0.0/8, where a world has room"
command -v ip >/dev/null || fail "iproute2 is not installed (Debian, Ubuntu: apt-get install iproute2)"
ip -o route show table local "$gate" | grep -q . || fail "$gate is not local: this is no world"

# The name of an interface has at most 15 characters.
printf -v cable 'h%02x%02x%02x%02x' ${ip//./ }
dir=$(mktemp -d)
touch "$dir/net"
unshare --net="$dir/net" true
exec 9<"$dir/net"
umount --lazy "$dir/net"
net=/proc/$$/fd/9
ip link add "$cable" type veth peer name eth0 netns "$net" ||
    fail "somebody is at $ip already, or there is no veth"
ip link set "$cable" up
# Before the world's own route for the whole range.
ip route add "$ip/32" dev "$cable" src "$gate" table local
# From house to house.
echo 1 >/proc/sys/net/ipv4/ip_forward

inside() { nsenter --net="$net" "$@"; }
inside ip link set lo up
inside ip addr add "$ip/32" dev eth0
inside ip link set eth0 up
inside ip route add default via "$gate" dev eth0 onlink
sed "s/^nameserver .*/nameserver $gate/" /etc/resolv.conf >"$dir/resolv.conf"
exec nsenter --net="$net" unshare --mount sh -c \
    'mount --bind "$0/resolv.conf" /etc/resolv.conf && rm -r "$0" && exec 9<&- && exec "$@"' "$dir" "$@"
