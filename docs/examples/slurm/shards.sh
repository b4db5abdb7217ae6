#!/bin/sh
# Submits a run in shards, and a last job that merges and decides:
#   sh shards.sh 16 suites/release.toml ./checkpoints/release-candidate shards/release-candidate
# The last word is an empty folder, new for each run, that all nodes may write. While a shard runs its
# ledger is on the node's own disk; it is kept when the job is stopped, and a later one goes on with it.
# A shell without a terminal starts what it does not wait for deaf to Ctrl-C, by which pytest is stopped:
# env (coreutils 8.31) gives it its ears back.
set -eu
count=$1 suite=$2 model=$3 folder=$4
mkdir -p "$folder"
array=$(sbatch --parsable --array="1-$count" --job-name=robustness --signal=B:TERM@120 \
    --output="$folder/%a.log" <<EOF
#!/bin/sh
set -eu
kept="$folder/\$SLURM_ARRAY_TASK_ID"
here=\$(mktemp -d)
mkdir -p "\$kept"
cp -r "\$kept/." "\$here"
trap 'kill -INT \${!:-} 2>/dev/null || true' TERM
env --default-signal=INT pytest "$suite" --model "$model" --coderobust-shard="\$SLURM_ARRAY_TASK_ID/$count" \
    --coderobust-ledger="\$here/ledger.sqlite" &
status=0
wait \$! || status=\$?
wait \$! 2>/dev/null || true
cp -r "\$here/." "\$kept"
rm -r "\$here"
exit \$status
EOF
)
# Where a shard fails nothing is decided: SLURM then cancels the last job, and calls that a success.
rm -f "$folder/decided"
sbatch --dependency="afterok:$array" --kill-on-invalid-dep=yes --job-name=robustness-gate \
    --output="$folder/gate.log" --wait <<EOF
#!/bin/sh
set -eu
coderobust merge "$folder/all.sqlite" "$folder"/*/ledger.sqlite
coderobust gate "$folder/all.sqlite" --suite "$suite" --html "$folder/report.html"
touch "$folder/decided"
EOF
test -e "$folder/decided" || {
    echo "a shard failed, so nothing was decided: see $folder/*.log" >&2
    exit 1
}
