#!/bin/bash
# What a container runs, in the package's environment:
#   managed MANAGER NODE...   nodes and the lifecycle manager that brings them up; ends when one of them ends, so that the
#                             container's restart policy brings all back
#   anything else             as it is: edge-ai run, python3 -m edge_ai.nodes.side_agent ...
# node_arguments.py says what variables do; EDGE_AI_AUTOSTART=false leaves it to the manager's service to start.
set -eu
here=$(dirname "$(readlink -f "$0")")
. "$here/../env.sh"

managed() {
  local manager=$1 nodes=("${@:2}") text common node status=0
  text=$(python3 "$here/node_arguments.py")
  mapfile -t common <<<"$text"
  children=()
  trap 'end; exit 0' INT TERM
  for node in "${nodes[@]}"; do
    "${node}_node" --ros-args "${common[@]}" -r "__node:=$node" &
    children+=($!)
  done
  lifecycle_manager_node --ros-args "${common[@]}" -r "__node:=$manager" \
    -p "node_names:=[$(IFS=,; echo "${nodes[*]}")]" -p "autostart:=${EDGE_AI_AUTOSTART:-true}" &
  children+=($!)
  wait -n "${children[@]}" || status=$?
  echo "one of ${nodes[*]} and $manager ended with status $status; the others follow" >&2
  end
  exit 1
}

end() {
  trap '' INT TERM
  kill -TERM "${children[@]}" 2>/dev/null || true
  wait || true
}

if [ "${1:-}" = managed ]; then
  managed "${@:2}"
fi
exec "$@"
