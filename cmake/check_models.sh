#!/usr/bin/env bash
# Checks the models of the concurrent pool in docs/models, completely, with spin and gcc.
#
#     check_models.sh [build folder]    build/models, if none is given
#
# Prints a line for each model and each of its wrong variants, which the check must reject.
# Exit status: 0 if all passed; 1 if one failed, with the reason; 2 if a tool is missing.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:-$root/build/models}
failed=0
incomplete='max search depth too small|out of memory|reached -DMEMLIM|not completed'

for tool in spin gcc; do
    if ! command -v "$tool" > /dev/null; then
        echo "FAIL: models: $tool is missing (Debian packages: spin, gcc)"
        exit 2
    fi
done
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# Searches the states of a model. In a folder of its own, because the names of the files are fixed.
# Usage: search model folder definition...
search() {
    local model=$1 place=$folder/$2
    shift 2
    rm -rf "$place"
    mkdir -p "$place"
    cd "$place"
    if ! spin "$@" -a "$root/docs/models/$model.pml" > spin.log 2>&1; then
        echo "spin does not take the model, see $place/spin.log" > reason
        return
    fi
    # Safety alone: no cycle is looked for. Memory is limited, in MiB, so that none is swapped.
    if ! gcc -O2 -w -DSAFETY -DCOLLAPSE -DNOFAIR -DMEMLIM=2000 -o pan pan.c > gcc.log 2>&1; then
        echo "gcc does not take the search, see $place/gcc.log" > reason
        return
    fi
    # What is found is in the output; the status tells only whether the search could be done.
    if ! ./pan -m20000 -w22 > pan.log 2>&1; then
        echo "the search failed, see $place/pan.log" > reason
    elif grep -qE "$incomplete" pan.log; then
        echo "the search is not complete, see $place/pan.log" > reason
    elif ! grep -q "errors: " pan.log; then
        echo "the search does not say what it found, see $place/pan.log" > reason
    fi
}

fail() {
    printf 'FAIL: %s: %s\n' "$1" "$2"
    failed=1
}

# The model as it is: no error, in all states.
# Usage: check_right model title definition...
check_right() {
    local model=$1 title=$2
    local name=${title//[^a-z]/_}
    shift 2
    (search "$model" "$name" "$@")
    local log=$folder/$name/pan.log
    if grep -q "errors: [1-9]" "$log" 2> /dev/null; then
        fail "$title" "$(sed -n 's/^pan:1: //p' "$log" | head -n 1), see $folder/$name"
    elif [[ -f $folder/$name/reason ]]; then
        fail "$title" "$(cat "$folder/$name/reason")"
    else
        printf 'PASS: %-50s %10d states\n' "$title" \
            "$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$log")"
    fi
}

# Each wrong variant that the model has: an assert fails, or a thread waits for ever. The first
# error ends the search. Usage: check_wrong model definition...
check_wrong() {
    local model=$1 variants variant title name log
    local source=$root/docs/models/$model.pml
    shift
    variants=$(sed -n 's/^ *\/\* Wrong \([0-9]*\):.*/\1/p' "$source" | sort -nu)
    if [[ -z $variants ]]; then
        fail "$model" "has no wrong variants"
    fi
    for variant in $variants; do
        title="$model, wrong variant $variant"
        name=${model}_wrong_$variant
        log=$folder/$name/pan.log
        (search "$model" "$name" -DWRONG="$variant" "$@")
        if grep -qE "^pan:1: (assertion violated|invalid end state)" "$log" 2> /dev/null &&
            grep -q "errors: [1-9]" "$log"; then
            printf 'PASS: %s is rejected\n' "$title"
        elif [[ -f $folder/$name/reason ]]; then
            fail "$title" "$(cat "$folder/$name/reason")"
        else
            fail "$title" "is not rejected"
        fi
    done
}

# Begins a check when one of those before has left its processor; what they print is told at the
# end, in this order. Usage: begin right|wrong model argument...
texts=() checks=()
begin() {
    if (($(jobs -rp | wc -l) >= $(nproc))); then
        wait -n || true
    fi
    texts+=("$folder/${#texts[@]}.txt")
    ("check_$1" "${@:2}"; exit "$failed") > "${texts[-1]}" 2>&1 &
    checks+=($!)
}

# The longest first.
begin right adoption "adoption"
begin right adoption "adoption, trimmed, a block handed in" -DGIVERS=1 -DROUNDS=1
begin right adoption "adoption, a block handed in meanwhile" -DGIVERS=1 -DTRIMS=0
begin right adoption "adoption, three threads" -DTHREADS=3 -DROUNDS=1 -DTRIMS=0
begin wrong adoption
begin right taking "taking"
begin wrong taking
begin right inbox "inbox"
begin wrong inbox
for index in "${!checks[@]}"; do
    wait "${checks[index]}" || failed=1
    cat "${texts[index]}"
done
exit "$failed"
