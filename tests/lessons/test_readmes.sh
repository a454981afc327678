#!/bin/bash
# test_readmes.sh - what the lessons' READMEs show and name is what is there (readmes.py)

exec python3 tests/lessons/readmes.py "$@"
