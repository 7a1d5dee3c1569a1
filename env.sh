# A shell in which the nodes, `edge-ai` and ROS 2's Python run:  . ./env.sh   (sh, bash or zsh, from any folder)

# Where this file lies: bash and zsh say so; other shells hold it open while they read it.
if [ -n "${BASH_VERSION:-}" ]; then
  _edge_ai_file="${BASH_SOURCE[0]}"
elif [ -n "${ZSH_VERSION:-}" ]; then
  eval '_edge_ai_file="${(%):-%x}"'
else
  _edge_ai_file=./env.sh
  for _edge_ai_open in /proc/$$/fd/*; do
    _edge_ai_link=$(readlink "$_edge_ai_open" 2>/dev/null) || continue
    case "$_edge_ai_link" in */env.sh) _edge_ai_file="$_edge_ai_link" ;; esac
  done
fi
_edge_ai_root=$(cd "$(dirname "$_edge_ai_file")" >/dev/null 2>&1 && pwd -P)

_edge_ai_enter() {
  if [ ! -f "$1/install/setup.sh" ] || [ ! -x "$1/.venv/bin/python" ]; then
    echo "env.sh: nothing is set up in ${1:-this folder} yet; run: make setup" >&2
    return 1
  fi
  # Another ROS sourced before would mix its modules and libraries with ours.
  if [ -n "${AMENT_PREFIX_PATH:-}" ]; then
    unset AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH PYTHONPATH LD_LIBRARY_PATH
  fi
  . "$1/.venv/bin/activate"
  export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}"
  COLCON_CURRENT_PREFIX="$1/install"
  . "$1/install/setup.sh"
  _edge_ai_libraries="$1/.venv/lib"
  for _edge_ai_folder in "$1"/.venv/lib/python3.*/site-packages/ros_*.libs; do
    _edge_ai_libraries="$_edge_ai_libraries:$_edge_ai_folder"
  done
  export PATH="$1/install/lib/edge_ai:$PATH"
  export AMENT_PREFIX_PATH="$AMENT_PREFIX_PATH:$1/.venv"
  # Without the colon that colcon may leave: an empty entry means the current folder.
  export LD_LIBRARY_PATH="$_edge_ai_libraries:${LD_LIBRARY_PATH%:}"
  # The wheels restart every Python once to set that path, unless told that it is set.
  export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
  # Whole images fit into this profile's shared memory; Fast DDS's default loses more than half of them.
  export FASTRTPS_DEFAULT_PROFILES_FILE="$1/config/fastdds.xml"
  export FASTDDS_DEFAULT_PROFILES_FILE="$1/config/fastdds.xml"
  export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
  export ROS_DISTRO=jazzy ROS_VERSION=2
}

# colcon's and venv's scripts read variables that may be unset.
case $- in *u*) _edge_ai_strict=-u ;; *) _edge_ai_strict=+u ;; esac
set +u
_edge_ai_enter "$_edge_ai_root" && _edge_ai_status=0 || _edge_ai_status=1
set "$_edge_ai_strict"
unset -f _edge_ai_enter
unset _edge_ai_file _edge_ai_root _edge_ai_open _edge_ai_link _edge_ai_libraries _edge_ai_folder _edge_ai_strict
eval "unset _edge_ai_status; return $_edge_ai_status"
