#!/usr/bin/env bash
# shellcheck disable=SC2317 # verdict calls the functions
# Builds and runs small projects outside the tree, each with the library static and shared: one
# finds the installed package with CMake, one with pkg-config, one embeds the sources, one uses the
# component jemalloc, where it is built, in both of the first ways.
# run.sh <release build folder> prints "PASS: what", "FAIL: what" or "SKIP: what: why" for each.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
release=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

verdict() { # verdict <name> <command>...
    local name=$1
    shift
    if "$@"; then
        echo "PASS: $name"
    else
        echo "FAIL: $name"
        status=1
    fi
}

install_static() { cmake --install "$release" --prefix "$work/static"; }
install_shared() {
    cmake -S "$source" -B "$work/build" -G Ninja -DBUILD_SHARED_LIBS=ON \
        -DRESIDENT_BUILD_TOOL=OFF -DRESIDENT_BUILD_TESTS=OFF \
        -DRESIDENT_BUILD_EXAMPLES=OFF -DRESIDENT_BUILD_BENCHMARKS=OFF &&
        cmake --build "$work/build" && cmake --install "$work/build" --prefix "$work/shared"
}

# copy_project <project> <folder>: outside the tree, with the program that all three build.
copy_project() {
    cp -r "$source/tests/consumer/$1" "$2" && cp "$source/tests/consumer/main.cpp" "$2"
}

# consume <find_package|add_subdirectory> <static|shared> [cmake argument]...
consume() {
    local project=$1 kind=$2 build=$work/$1-$2
    shift 2
    copy_project "$project" "$build" &&
        cmake -S "$build" -B "$build/build" -G Ninja "$@" &&
        cmake --build "$build/build" && "$build/build/consumer"
}

pkg_config() { # pkg_config <static|shared> [project]
    local build=$work/pkg_config-$1-${2:-plain} libdir
    copy_project "${2:-pkg_config}" "$build"
    libdir=$(dirname "$(find "$work/$1" -name pkgconfig)")
    (cd "$build" && PKG_CONFIG_PATH=$libdir/pkgconfig ./build.sh) &&
        LD_LIBRARY_PATH=$libdir "$build/consumer"
}

# An installation without the component says so, and how to get it.
refuse_jemalloc() {
    local build=$work/without-jemalloc log=$work/without-jemalloc.log
    cp -r "$work/static" "$work/without" && copy_project jemalloc "$build" &&
        find "$work/without" -name resident-jemalloc-targets.cmake -delete &&
        ! cmake -S "$build" -B "$build/build" -G Ninja "-DCMAKE_PREFIX_PATH=$work/without" \
            >"$log" 2>&1 &&
        tr -s '\n ' ' ' <"$log" | grep -q 'was built without its component jemalloc'
}

for kind in static shared; do
    verdict "install $kind" "install_$kind"
    verdict "find_package $kind" consume find_package $kind "-DCMAKE_PREFIX_PATH=$work/$kind"
    verdict "pkg-config $kind" pkg_config $kind
done
if [[ -n $(find "$work/static" -name resident-jemalloc-targets.cmake) ]]; then
    for kind in static shared; do
        verdict "find_package jemalloc $kind" consume jemalloc $kind \
            "-DCMAKE_PREFIX_PATH=$work/$kind"
        verdict "pkg-config jemalloc $kind" pkg_config $kind jemalloc
    done
    verdict "find_package without jemalloc" refuse_jemalloc
else
    echo "SKIP: jemalloc: resident::jemalloc is not built, as libjemalloc is not installed"
fi
verdict "add_subdirectory static" consume add_subdirectory static "-DRESIDENT_SOURCE=$source"
# In a project that compiles several files as one, ours must be fit for that.
verdict "add_subdirectory shared" consume add_subdirectory shared "-DRESIDENT_SOURCE=$source" \
    -DBUILD_SHARED_LIBS=ON -DCMAKE_UNITY_BUILD=ON
verdict "installed command" "$work/static/bin/resident" --help
exit $status
