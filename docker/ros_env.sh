# The environment of an image whose ROS comes from apt; what env.sh is to one with ROS's wheels.
case $- in *u*) _edge_ai_strict=-u ;; *) _edge_ai_strict=+u ;; esac
set +u # ROS's scripts read variables that may be unset
. "/opt/ros/$ROS_DISTRO/setup.sh"
COLCON_CURRENT_PREFIX=/opt/edge_ai/install
. /opt/edge_ai/install/local_setup.sh
set "$_edge_ai_strict"
export PATH="/opt/edge_ai/.venv/bin:/opt/edge_ai/install/lib/edge_ai:/opt/edge_ai/install/bin:$PATH"
export FASTRTPS_DEFAULT_PROFILES_FILE=/opt/edge_ai/config/fastdds.xml
export FASTDDS_DEFAULT_PROFILES_FILE=/opt/edge_ai/config/fastdds.xml
# Humble knows only this or the whole network.
if [ "$ROS_DISTRO" = humble ] && [ "${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}" = LOCALHOST ]; then
  export ROS_LOCALHOST_ONLY=1
fi
