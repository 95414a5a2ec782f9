#!/bin/sh
# Build the image with docker, podman or buildah, whichever can here.  Usage: build.sh [FLAG OF ITS `build`]...
# IMAGE is another name for it, such as registry.example.net/triton-watch; ENGINE is the one to take.
set -eu
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' agent/triton_watch/version.py)

for engine in ${ENGINE:-docker podman buildah} none; do
    "$engine" info >/dev/null 2>&1 && break # a docker without its daemon cannot
done
case $engine in
none)
    echo "build.sh: no container engine works here: install docker, podman or buildah, or set ENGINE" >&2
    exit 1
    ;;
docker) ;;
*) set -- --format docker "$@" ;; # OCI's own format has no place for HEALTHCHECK
esac
exec "$engine" build --file deploy/Dockerfile --tag "${IMAGE:-triton-watch}:$version" \
    --build-arg VERSION="$version" \
    --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || true)" \
    --build-arg CREATED="$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$@" .
