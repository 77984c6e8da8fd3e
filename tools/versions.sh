# shellcheck shell=bash disable=SC2034
# Owns the versions of what is installed beside the npm packages (those are in package-lock.json).
node_version=24.21.0
synapse_version=1.163.2
nio_version=0.26.0
meson_version=1.12.1
ninja_version=1.13.2
