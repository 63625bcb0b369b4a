#!/usr/bin/env bash
# shellcheck disable=SC2046 # the flags are words
g++ -std=c++20 -o consumer on_jemalloc.cpp $(pkg-config --cflags --libs resident-jemalloc)
