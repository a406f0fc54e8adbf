#!/usr/bin/env bash
# Makes examples/hello.wav again: flite's female voice, sentence by sentence, with pauses between.
# Needs flite and sox (apt install flite sox). The result is 16 kHz mono, 16 bit.
set -euo pipefail
cd "$(dirname "$0")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

number=0
parts=()
while IFS='|' read -r pause_s sentence; do
    number=$((number + 1))
    flite -voice slt --setf duration_stretch=0.95 -t "$sentence" -o "$work/$number.wav"
    sox "$work/$number.wav" "$work/$number.trim.wav" \
        silence 1 0.01 0.5% reverse silence 1 0.01 0.5% reverse
    sox "$work/$number.trim.wav" "$work/$number.part.wav" fade 0.01 -0 0.02 pad 0 "$pause_s"
    parts+=("$work/$number.part.wav")
done <<'TEXT'
0.55|Hello, and welcome! It is really good to see you.
0.60|I am a robot, and I talk with my whole body.
0.65|When I speak, my arms, my head and my face move with every word.
0.20|So, what would you like to know? Please, ask me anything!
TEXT

sox "${parts[@]}" -r 16000 -c 1 -b 16 hello.wav pad 0.3 0 norm -3
