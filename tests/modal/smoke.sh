#!/usr/bin/env bash
# The real Modal, with somebody's own account: `./dev modal-smoke OWNER/NAME`. The same is asserted as in
# tests/tests/modal/, where a stand-in answers for Modal; one of those tests runs this file, too.
#
# usage: smoke.sh PROGRAM OWNER/NAME: the `changeling` to try, and a GitHub repository of yours that pull
# requests may be opened on; they are closed again, and nothing else is left.
# SMOKE_URL is where that repository is, SMOKE_CONFIG more lines of configuration; SMOKE_CLOCK is a command that
# makes the cron of `changeling-smoke-fired` fire, where no clock does.
set -euo pipefail

program=$1
repo=$2
url=${SMOKE_URL:-https://github.com/$repo}
: "${GITHUB_TOKEN:?a token that may push to $repo and open pull requests there}"
api=${GITHUB_API_URL:-https://api.github.com}

home=$(mktemp -d)
export CHANGELINGS_HOME=$home
passed=0
failed=0

changeling() { "$program" "$@"; }

ok() { passed=$((passed + 1)) && printf 'ok    %s\n' "$1"; }
bad() { failed=$((failed + 1)) && printf 'FAIL  %s\n      %s\n' "$1" "$2"; }

# exits CODE WHAT COMMAND...: what it prints is kept in $said.
exits() {
    local expected=$1 what=$2 code=0
    shift 2
    said=$("$@" 2>&1) || code=$?
    if [ "$code" = "$expected" ]; then ok "$what"; else bad "$what" "exit $code, not $expected: $(tail -n 5 <<<"$said")"; fi
}

# tells WHAT TEXT: the last answer has it.
tells() { case $said in *"$2"*) ok "$1" ;; *) bad "$1" "\`$2\` is not in: $(tail -n 5 <<<"$said")" ;; esac; }
hides() { case $said in *"$2"*) bad "$1" "a secret is shown" ;; *) ok "$1" ;; esac; }

# The token goes by a pipe: arguments are for everybody to see.
github() {
    curl --fail --silent --show-error --config <(printf 'header = "authorization: Bearer %s"\n' "$GITHUB_TOKEN") "$@"
}

clean_up() {
    trap - EXIT
    printf '\ntaking everything away again\n'
    changeling undeploy --all --yes --delete-volume --delete-secret ||
        printf 'something is left at Modal: look for apps, volumes, secrets and dicts named changeling-smoke-*\n'
    local pull number branch
    for pull in ${pulls:-}; do
        number=${pull##*/}
        branch=$(github "$api/repos/$repo/pulls/$number" | jq --raw-output .head.ref)
        github --request PATCH --data '{"state":"closed"}' "$api/repos/$repo/pulls/$number" >/dev/null
        github --request DELETE "$api/repos/$repo/git/refs/heads/$branch"
    done
    rm -rf "$home"
    printf '%s passed, %s failed\n' "$passed" "$failed"
    [ "$failed" = 0 ]
}
trap clean_up EXIT

# Agents are shell scripts: nobody but Modal is paid. The template is the one that always finds work.
add() {
    cat >>"$home/config.toml" <<EOF

[changelings.smoke-$1]
template = "security-reporter"
deliver = "pull-request"
repo = "$url"
schedule = "$3"
timezone = "UTC"
agent_type = "command"
extra_mngr_args = ["--", "sh", "-c", '''$2''']
$4
EOF
}
cat >"$home/config.toml" <<EOF
[defaults]
secrets = ["GITHUB_TOKEN"]
identity = { name = "Smoke Test", email = "smoke@example.org" }
${SMOKE_CONFIG:-}
EOF
# shellcheck disable=SC2016 # expanded by the agent
add well 'echo "# Nothing but a try of changelings on Modal" > "$CHANGELING_REPORT"' '0 3 * * *' ''
add badly 'echo no tools here; exit 7' '0 3 * * *' ''
add slow 'setsid sleep 1001 & sleep 1002' '0 3 * * *' 'timeout = "1m"'
add fired 'echo nothing to do' '0 3 * * *' ''

exits 0 'the account is in order' changeling doctor
exits 3 'a wrong token is told of' env MODAL_TOKEN_ID=ak-wrong MODAL_TOKEN_SECRET=as-wrong "$program" deploy smoke-well
exits 3 'a secret that is missing is named' env -u GITHUB_TOKEN "$program" deploy smoke-well
tells 'before anything is deployed' GITHUB_TOKEN
exits 0 'four are deployed, and a run could work' changeling deploy --all --verify quick
exits 0 'they are deployed again' changeling deploy --all
exits 0 'status asks Modal' changeling status --json
tells 'all four are there' '"at_modal": true'
hides 'no secret is shown' "$GITHUB_TOKEN"

exits 0 'a change is made here' changeling edit smoke-badly --schedule '30 4 * * *'
exits 0 'it differs from what is deployed' changeling status smoke-badly --json
tells 'and how is said' 'schedule: '
exits 0 'one is taken off its schedule' changeling disable smoke-badly
exits 0 'and put on it again' changeling enable smoke-badly
other=$home/other
mkdir "$other" && cp "$home/config.toml" "$other"
elsewhere() { CHANGELINGS_HOME=$other changeling "$@"; }
exits 3 'what another home deployed is not replaced' elsewhere deploy smoke-badly
tells 'unless that is said' --take-over
rm "$other/config.toml"
exits 0 'on another machine it is taken over as it is' elsewhere deploy --adopt smoke-badly
tells 'by name' smoke-badly

exits 0 'a run ends in a pull request' changeling run smoke-well --json
tells 'and says so' '"outcome": "pull-request"'
pulls=$(jq --raw-output '.runs[].url // empty' <<<"$said" 2>/dev/null || true)
exits 0 'its files can be fetched' changeling runs show smoke-well --report
tells 'as they were there' 'Nothing but a try'
exits 4 'a failure is one' changeling run smoke-badly
exits 0 'what the agent said can be read' changeling logs smoke-badly
tells 'word for word' 'no tools here'
exits 124 'a run that takes too long ends' changeling run smoke-slow
exits 0 'the log at Modal can be read' modal app logs changeling-smoke-well
hides 'and has no secret in it' "$GITHUB_TOKEN"

exits 0 'a run that nobody waits for' changeling run smoke-slow --detach
exits 0 'is seen' changeling status smoke-slow --json
said=$(jq '[.. | .calls? // empty | .[] | .state | select(. == "waiting" or . == "starting" or . == "running")] | length' <<<"$said")
tells 'before it has ended' 1
exits 0 'an app is stopped by hand' modal app stop changeling-smoke-badly --yes
exits 0 'that is noticed' changeling status smoke-badly --json
tells 'as it is' '"at_modal": false'

# Only now are all images built: a deploy takes seconds.
soon=$(date -u -d '+5 minutes' '+%-M %-H * * *' 2>/dev/null || date -u -v+5M '+%-M %-H * * *')
exits 0 'one is to fire soon' changeling edit smoke-fired --schedule "$soon"
exits 0 'and Modal knows' changeling deploy smoke-fired
printf 'waiting for the clock to fire smoke-fired (at most 20 minutes)\n'
${SMOKE_CLOCK:-true} >/dev/null
for _ in $(seq 240); do
    said=$(changeling status smoke-fired --json 2>&1) || true
    fired=$(jq '[.. | .calls? // empty | .[] | select(.trigger == "schedule" and .state == "ended")] | length' <<<"$said" || true)
    if [ "$fired" = 1 ]; then break; fi
    sleep 5
done
tells 'the cron fired, and left a record' '"trigger": "schedule"'
tells 'and missed nothing' '"missed_fires": []'
