#!/bin/sh
# The main job, as `make demo` shows it: a Promise and a request, into a Git state store, twice.
set -eu
store=${DEMO_STORE:-build/demo/fleet.git}

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

say "A developer asks for a namespace (promises/namespace/resource-request.yaml):"
cat promises/namespace/resource-request.yaml

say "troth sync promises/namespace --state-store $store"
troth sync promises/namespace --state-store "$store"

say "The same again: nothing has changed, so nothing is written."
troth sync promises/namespace --state-store "$store"

say "What Argo CD or Flux reads (branch main of $store):"
git --git-dir "$store" log --oneline main | head -20
git --git-dir "$store" ls-tree -r --name-only main -- default/resources/default/namespace/payments-dev

say "What Troth remembers of it: troth status namespace/payments-dev"
troth status namespace/payments-dev --namespace default --state-store "$store"

say "Run make demo again: no commit is added. Then edit a request, and see one."
