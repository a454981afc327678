#!/bin/bash
# run.sh - runs tests one after the other and adds up what they say
#
#     tests/run.sh LOG_FOLDER TEST...
#
# A test is a program whose last line is "N passed, N failed, N skipped". One that ends without it, or whose exit status
# says something else than that line, counts as a failure of its own. The last line here is the sum.

log_folder=$1
shift
mkdir -p "$log_folder"

passed=0 failed=0 skipped=0
for test in "$@"; do
    name=$(basename "$test" .sh)
    log=$log_folder/$name.log
    echo "---- $name"
    "$test" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}

    if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
        if ((status != 0 && BASH_REMATCH[2] == 0)); then
            echo "FAIL $name: ended with status $status behind a summary without failures"
            failed=$((failed + 1))
        fi
    else
        echo "FAIL $name: ended with status $status and without a summary"
        failed=$((failed + 1))
    fi
done

if ((passed + failed == 0)); then
    echo "FAIL no test ran"
    failed=1
fi
echo
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
