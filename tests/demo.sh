#!/bin/sh
# The main job, as `make demo` shows it: Promises and requests, into a Git state store, twice.
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

apis=tests/data/demo-apis.yaml
say "Several teams share one API: an aggregator and three targets ($apis)."
echo "The third asks for a route that the first has; it alone is refused, so troth sync ends with 1."
promises="promises/api-aggregator/promise.yaml promises/api-aggregator-target/promise.yaml"
code=0
# shellcheck disable=SC2086  # two paths
troth sync $promises "$apis" --inventory apis --state-store "$store" || code=$?
test "$code" -eq 1

say "What the first target became:"
git --git-dir "$store" show main:default/resources/claims-prod/api-aggregator-target/claims/configure/5058f/httproute.yaml

say "Run make demo again: no commit is added. Then edit a request, and see one."
